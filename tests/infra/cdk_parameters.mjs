// What `cdk deploy` sends to CloudFormation for --parameters, by the pinned CDK's own code:
// node cdk_parameters.mjs ASSEMBLY [NAME=VALUE | STACK:NAME=VALUE]...
// The CDK's package exports none of it, so its bundle is evaluated with an export of ours behind it.
import { readFileSync } from "node:fs";
import Module from "node:module";
import path from "node:path";

const file = path.resolve("node_modules/aws-cdk/lib/index.js");
const source = readFileSync(file, "utf8");
const [, mapping] = /parameterMap = (buildParameterMap\d*)\(options\.parameters\);/.exec(source);
const bundle = new Module(file);
bundle.filename = file;
bundle.paths = Module._nodeModulePaths(path.dirname(file));
const ours = `;init_cfn_api(); module.exports = { parseParameters, ${mapping}, TemplateParameters };`;
bundle._compile(source + ours, file);
const { parseParameters, [mapping]: buildParameterMap, TemplateParameters } = bundle.exports;

const [assembly, ...given] = process.argv.slice(2);
const map = buildParameterMap(parseParameters(given));
const { artifacts } = JSON.parse(readFileSync(path.join(assembly, "manifest.json"), "utf8"));
const sent = {};
for (const [id, artifact] of Object.entries(artifacts)) {
  if (artifact.type !== "aws:cloudformation:stack") continue;
  const name = artifact.properties.stackName ?? id;
  const template = path.join(assembly, artifact.properties.templateFile);
  const formal = TemplateParameters.fromTemplate(JSON.parse(readFileSync(template, "utf8")));
  // As deployStack merges them: what is for every stack, then what is for this one.
  const values = formal.supplyAll({ ...map["*"], ...map[name] });
  sent[name] = Object.fromEntries(
    values.apiParameters.map((one) => [one.ParameterKey, one.ParameterValue]),
  );
}
console.log(JSON.stringify(sent));
