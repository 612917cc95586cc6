"""Empties a versioned bucket: every version of every object, and what uploads left unfinished.

    python infra/empty_bucket.py NAME --region eu-west-1 [--delete]

A bucket can only be deleted when it is empty, and `aws s3 rm` leaves old versions, which cost.
"""

import argparse
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import ClientError


def empty_bucket(name: str, region: str, *, delete: bool) -> int:
    """Delete all that is in the bucket, and with `delete` the bucket; return how many versions.

    There is no way back. Idempotent: a bucket that is absent is done.
    """
    client = boto3.client("s3", region_name=region)
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            return 0
        raise
    removed = 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
        if objects:
            client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})  # type: ignore[typeddict-item]
        removed += len(objects)
    for started in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in started.get("Uploads", []):
            client.abort_multipart_upload(
                Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    if delete:
        client.delete_bucket(Bucket=name)
    return removed


def main(arguments: Sequence[str] | None = None) -> None:
    """Empty the bucket that was named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name")
    parser.add_argument("--region", required=True)
    parser.add_argument("--delete", action="store_true", help="the bucket itself, too")
    asked = parser.parse_args(arguments)
    removed = empty_bucket(asked.name, asked.region, delete=asked.delete)
    print(f"{removed:,} versions deleted from {asked.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
