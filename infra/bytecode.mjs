// Writes bytecode beside the Python modules of folders: node bytecode.mjs VERSION (FOLDER PATH)...
// PATH is where the folder lies on Lambda, so that tracebacks name the files as they are there.
// The bytecode is never compared with its source: Lambda unpacks a package with other file times
// and cannot write to it, so ordinary bytecode would be compiled anew at every cold start.
import { loadPyodide } from "pyodide";

const COMPILE = `
import compileall, py_compile, sys

found = f"{sys.version_info.major}.{sys.version_info.minor}"
if found != version:
    raise ValueError(f"the package pyodide is Python {found}, but Lambda runs {version}")
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
for mounted, path in folders:
    if not compileall.compile_dir(
        mounted, maxlevels=99, ddir=path, force=True, quiet=1, invalidation_mode=unchecked
    ):
        raise ValueError(f"not everything under {path} is valid Python {version}")
`;

async function compile(version, pairs) {
  const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
  const folders = [];
  for (let i = 0; i < pairs.length; i += 2) {
    python.mountNodeFS(`/folders/${i}`, pairs[i]);
    folders.push([`/folders/${i}`, pairs[i + 1]]);
  }
  python.runPython(COMPILE, { globals: python.toPy({ version, folders }) });
}

try {
  const [version, ...pairs] = process.argv.slice(2);
  await compile(version, pairs);
} catch (error) {
  console.error(error.message); // without it Node prints pages of the compiler's own source
  process.exitCode = 1;
}
