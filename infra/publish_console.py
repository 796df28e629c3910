"""Puts the built pages into the deployed console's bucket, with the configuration they read.

Run by `make deploy` after `cdk deploy`, with the credentials of that. It is no custom resource of
the stack, since the one that CDK offers is a function whose role may do much more than this.
"""

from __future__ import annotations

import json
import mimetypes
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.outputs import read_outputs

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "console" / "dist"
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"
CONFIG = "config.json"


class NotPublishableError(RuntimeError):
    """The pages are not built, or the outputs are not those of a deployment with a console."""


def configuration(outputs: Mapping[str, str]) -> bytes:
    """The pages' config.json for a deployment: its API, and how to sign in."""
    sign_in = {
        "kind": "cognito",
        "clientId": outputs["ConsoleClientId"],
        "domain": outputs["SignInUrl"],
        "authority": (
            f"https://cognito-idp.{outputs['Region']}.amazonaws.com/{outputs['UserPoolId']}"
        ),
    }
    return json.dumps({"apiUrl": outputs["ApiUrl"], "signIn": sign_in}).encode()


def files_to_publish(pages: Path, outputs: Mapping[str, str]) -> Iterator[tuple[str, bytes, str]]:
    """Yield key, body and Cache-Control, with the document that names the others last.

    Raises NotPublishableError.
    """
    if not (pages / "index.html").is_file():
        raise NotPublishableError(f"There are no pages in {pages}: run `make console`.")
    for file in sorted(path for path in pages.rglob("*") if path.is_file()):
        key = file.relative_to(pages).as_posix()
        if key != "index.html":
            caching = IMMUTABLE if key.startswith("assets/") else REVALIDATED
            yield key, file.read_bytes(), caching
    yield CONFIG, configuration(outputs), REVALIDATED
    yield "index.html", (pages / "index.html").read_bytes(), REVALIDATED


def publish(outputs: Mapping[str, str], pages: Path, s3: Any, cloudfront: Any) -> list[str]:
    """Upload the pages, remove what they replaced, and have CloudFront forget the old ones.

    Old assets are removed only after the new document is there. Returns the keys published.
    """
    bucket = outputs["PagesBucketName"]
    published = []
    for key, body, caching in files_to_publish(pages, outputs):
        kind = mimetypes.guess_type(key)[0] or "application/octet-stream"
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=kind, CacheControl=caching)
        published.append(key)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for stored in page.get("Contents", ()):
            if stored["Key"] not in published:
                s3.delete_object(Bucket=bucket, Key=stored["Key"])
    cloudfront.create_invalidation(
        DistributionId=outputs["DistributionId"],
        InvalidationBatch={
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": str(time.time_ns()),
        },
    )
    return published


def main(outputs_file: str) -> int:
    """Publish to the deployment whose `cdk deploy --outputs-file` is given; 1 with the reason."""
    import boto3

    outputs = read_outputs(Path(outputs_file))
    try:
        published = publish(
            outputs,
            PAGES,
            boto3.client("s3", region_name=outputs["Region"]),
            boto3.client("cloudfront"),
        )
    except (NotPublishableError, KeyError) as error:
        sys.stderr.write(f"The console was not published: {error}\n")
        return 1
    sys.stdout.write(f"{len(published)} files of the console are at {outputs['ConsoleUrl']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
