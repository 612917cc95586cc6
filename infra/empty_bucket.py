"""Empties a versioned bucket: every version of every object, and unfinished multipart uploads.

    python infra/empty_bucket.py NAME --region eu-west-1 [--delete]

Only an empty bucket can be deleted, and `aws s3 rm` keeps old versions, which cost money.
"""

import argparse
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import ClientError


def empty_bucket(name: str, region: str, *, delete: bool) -> int:
    """Delete every version in the bucket, and with `delete` the bucket; return how many versions.

    Cannot be undone. Idempotent: an absent bucket is no error.
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
    for unfinished in client.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in unfinished.get("Uploads", []):
            client.abort_multipart_upload(
                Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    if delete:
        client.delete_bucket(Bucket=name)
    return removed


def main(arguments: Sequence[str] | None = None) -> None:
    """Empty the bucket that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name")
    parser.add_argument("--region", required=True)
    parser.add_argument("--delete", action="store_true", help="also delete the bucket itself")
    args = parser.parse_args(arguments)
    removed = empty_bucket(args.name, args.region, delete=args.delete)
    print(f"{removed:,} versions deleted from {args.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
