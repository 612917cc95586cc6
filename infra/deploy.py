"""Deploys and deletes the stack. The steps are data, and each is printed before it runs.

    python infra/deploy.py deploy --region eu-west-1 --dry-run
    python infra/deploy.py deploy --region eu-west-1 --set AlarmEmail=me@example.org
    python infra/deploy.py deploy --region eu-west-1 --model my-bundle
    python infra/deploy.py upload-model --region eu-west-1 --model my-bundle
    python infra/deploy.py destroy --region eu-west-1 [--delete-data]

`--dry-run` prints all steps, runs none, and needs no credentials.
"""

import argparse
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

sys.path.insert(0, str(Path(__file__).parent.parent))
from infra.parameters import (
    ParameterError,
    check_parameters,
    read_declarations,
    split_parameters,
)
from infra.plans import Options, plan_deploy, plan_destroy, plan_upload_model
from infra.steps import Step, account_number, run
from infra.take_up import plan_take_up


def shown_values(options: Options) -> str:
    """Return every parameter's final value as comments; secrets are not shown."""
    given = dict(one.partition("=")[::2] for one in options.parameters)
    lines = [
        "# the template's parameters; ModelDigest and those of the image follow from the build"
    ]
    for name, one in read_declarations().items():
        value = "(given)" if one.is_secret and given.get(name) else given.get(name, one.default)
        lines.append(f"#   {name}={value}")
    return "\n".join(lines)


def _parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Options]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("action", choices=("deploy", "upload-model", "destroy"))
    parser.add_argument("--region", default=os.environ.get("AWS_REGION"))
    parser.add_argument("--stack", default="seefood")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--set", nargs="*", default=[], dest="parameters", metavar="Name=value")
    parser.add_argument("--delete-data", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    args = parser.parse_args(arguments)
    if not args.region:
        parser.error("name the region: REGION=eu-west-1, or set AWS_REGION")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,28}", args.stack):
        parser.error(f"the stack's name {args.stack!r} is part of its buckets' names: a-z, 0-9, -")
    if args.action == "upload-model" and args.model is None:
        parser.error("upload-model needs --model, a bundle's folder")
    parameters = split_parameters(args.parameters)
    for one in parameters:
        if not re.fullmatch(r"[A-Za-z]+=.*", one, re.DOTALL):
            parser.error(f"{one!r} is no parameter; write it as Name=value")
    try:
        check_parameters(args.stack, args.region, parameters)
    except ParameterError as error:
        parser.error(str(error))
    machine = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    return args, Options(
        region=args.region,
        stack=args.stack,
        model=args.model,
        parameters=parameters,
        image_architecture=machine,
        delete_data=args.delete_data,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the steps and, unless it is a dry run, run them."""
    args, options = _parse(arguments)
    plans = {"deploy": plan_deploy, "upload-model": plan_upload_model, "destroy": plan_destroy}
    if args.dry_run:
        if args.action == "deploy":
            print(f"{shown_values(options)}\n")
        print("\n\n".join(map(str, plans[args.action](options))))
        return
    account = account_number()
    first: list[Step] = []
    if args.action == "deploy":
        try:
            options, first = plan_take_up(options, account)
        except (BotoCoreError, ClientError) as error:
            sys.exit(f"deploy: the buckets of an earlier stack cannot be looked for: {error}")
    run([*first, *plans[args.action](options)], account)


if __name__ == "__main__":
    main()
