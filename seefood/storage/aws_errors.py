"""botocore's exceptions, translated: what is wrong with the configuration, in one sentence.

A message names the place that was looked at and what to do. Messages of botocore and of the
programs and services that it asks may repeat a secret, so only known fields of them are shown.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from botocore import exceptions

from seefood.errors import UsageError
from seefood.sanitize import one_line

if TYPE_CHECKING:
    from botocore.session import Session


class CredentialsError(UsageError):
    """There are no credentials, or their configuration is wrong."""


def no_credentials(session: "Session") -> str:
    """Return the sentence for a session that finds no credentials."""
    for have, lack in (("SECRET_ACCESS_KEY", "ACCESS_KEY_ID"), ("SESSION_TOKEN", "ACCESS_KEY_ID")):
        if os.environ.get(f"AWS_{have}") and not os.environ.get(f"AWS_{lack}"):
            return f"AWS_{have} is set and AWS_{lack} is not; set both"
    places = "the environment (AWS_ACCESS_KEY_ID), "
    places += f"the profile {_profile(session)!r} in {_files(session)}, the container and "
    disabled = os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
    places += "the instance's metadata service" + (" (disabled)" if disabled else "")
    return (
        f"there are no AWS credentials in {places}; run `aws configure`, name a profile with "
        "--profile, or set AWS_SKIP_SIGNATURE to true for a public bucket"
    )


def _files(session: "Session") -> str:
    names = (session.get_config_variable(name) for name in ("credentials_file", "config_file"))
    return " and ".join(str(name) for name in names if name)


def _profile(session: "Session") -> str:
    return str(session.get_config_variable("profile") or "default")


def _login(session: "Session") -> str:
    return f"aws sso login --profile {_profile(session)}"


def _of_profile(error: Any, session: "Session") -> str:
    if not error.kwargs.get("profile"):
        return "AWS_PROFILE is set to an empty name; unset it, or name a profile"
    return (
        f"the profile {error.kwargs.get('profile')!r} is not in {_files(session)}; check "
        "--profile and AWS_PROFILE, or run `aws configure list-profiles`"
    )


def _of_half_a_pair(error: Any, session: "Session") -> str:
    provider, missing = error.kwargs.get("provider"), error.kwargs.get("cred_var")
    place = (
        "the environment"
        if provider == "env"
        else f"the profile {_profile(session)!r} in {_files(session)}"
    )
    return f"half of a key pair is set: {missing} is missing in {place}; add it"


def _of_sign_in(_: Any, session: "Session") -> str:
    return (
        f"the sign-in (SSO) of the profile {_profile(session)!r} is absent or has run out; run "
        f"`{_login(session)}`"
    )


def _of_retrieval(error: Any, session: "Session") -> str:
    provider = str(error.kwargs.get("provider"))
    if "process" in provider:
        command = str(_scoped(session).get("credential_process", ""))
        program = (command.split() or ["?"])[0]
        return (
            f"the credential_process of the profile {_profile(session)!r} failed or printed no "
            f"credentials: {program}; run it in a shell to see why"
        )
    return (
        f"credentials could not be had from {provider} (profile {_profile(session)!r}"
        f"{_container()}); check that it is reachable and allowed"
    )


def _container() -> str:
    names = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    return "".join(f", {name}" for name in names if os.environ.get(name))


def _of_parsing(error: Any, _: "Session") -> str:
    return f"{error.kwargs.get('path')} is no configuration file that AWS's tools can read; mend it"


def _of_config(error: Any, session: "Session") -> str:
    cause = str(error).split("\n")[0]
    return f"the profile {_profile(session)!r} in {_files(session)} is wrong: {cause}"


def _of_response(error: Any, session: "Session") -> str:
    code = error.response.get("Error", {}).get("Code", "?")
    return (
        f"{error.operation_name} was refused ({code}) while credentials of the profile "
        f"{_profile(session)!r} were made; check the role's trust policy and what it is assumed by"
    )


def _of_parameters(error: Any, _: "Session") -> str:
    text = str(error)
    name = text.partition('Invalid bucket name "')[2].partition('"')[0]
    if not name:
        return f"botocore refuses the request: {one_line(error)}"
    return f"{name!r} cannot be a bucket's name; a name has 3 to 63 of a-z, 0-9, '-' and '.'"


def _of_connection(error: Any, session: "Session") -> str:
    endpoint = str(error.kwargs.get("endpoint_url", "?")).partition("?")[0]
    return (
        f"{endpoint} gave no answer while credentials of the profile {_profile(session)!r} were "
        "made; check the network, the proxy and AWS_ENDPOINT_URL_STS"
    )


def _of_region(error: Any, _: "Session") -> str:
    return f"{error.kwargs.get('region_name', '')!r} cannot be a region; check AWS_REGION"


def _of_certificate(_: Any, __: "Session") -> str:
    return "the server's certificate is not trusted; AWS_CA_BUNDLE names the authority's PEM file"


def _of_endpoint(error: Any, _: "Session") -> str:
    return f"the endpoint is no URL or does not fit: {str(error).splitlines()[0][:200]}"


def _of_arn(error: Any, _: "Session") -> str:
    return f"{one_line(error, 300)}; check the ARN and AWS_REGION"


_EXPLANATIONS: Final[dict[type[Exception], Callable[[Any, "Session"], str]]] = {
    exceptions.ProfileNotFound: _of_profile,
    exceptions.PartialCredentialsError: _of_half_a_pair,
    exceptions.NoCredentialsError: lambda _, session: no_credentials(session),
    exceptions.SSOError: _of_sign_in,
    exceptions.UnauthorizedSSOTokenError: _of_sign_in,
    exceptions.TokenRetrievalError: _of_sign_in,
    exceptions.CredentialRetrievalError: _of_retrieval,
    exceptions.ConfigParseError: _of_parsing,
    exceptions.InvalidConfigError: _of_config,
    exceptions.InfiniteLoopConfigError: _of_config,
    exceptions.InvalidChecksumConfigError: _of_config,
    exceptions.UnknownCredentialError: _of_config,
    exceptions.ClientError: _of_response,
    exceptions.ParamValidationError: _of_parameters,
    exceptions.InvalidRegionError: _of_region,
    exceptions.SSLError: _of_certificate,
    exceptions.ConnectionError: _of_connection,
    exceptions.HTTPClientError: _of_connection,
    exceptions.EndpointProviderError: _of_endpoint,
    exceptions.UnsupportedS3ArnError: _of_arn,
    exceptions.UnsupportedS3AccesspointConfigurationError: _of_arn,
    exceptions.UnsupportedOutpostResourceError: _of_arn,
}
"""The most specific class that an exception has decides."""


def not_signed(bucket: str, service: str) -> str:
    """Return the sentence for an ARN whose requests are not signed as those to a bucket are."""
    return (
        f"{bucket!r} is not read or written here ({service}): of ARNs, only those of access points "
        "of a bucket in one region are; name the bucket, or the access point's alias"
    )


def explain(error: Exception, session: "Session", bucket: str = "") -> str:
    """Return what is wrong and what to do. Contains no secret."""
    if isinstance(error, exceptions.MissingDependencyException) and bucket.startswith("arn:"):
        return not_signed(bucket, "multi-region")
    for kind in type(error).__mro__:
        if kind in _EXPLANATIONS:
            return _EXPLANATIONS[kind](error, session)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be read ({error.strerror}), which the AWS settings name"
    if isinstance(error, OSError | EOFError) and "mfa_serial" in str(session.full_config):
        return (
            f"the profile {_profile(session)!r} needs a code (mfa_serial), which cannot be asked "
            "for here; set the keys that `aws sts assume-role --serial-number ...` prints"
        )
    if isinstance(error, ValueError) and "endpoint" in str(error).lower():
        return f"the endpoint is no URL: {str(error)[:200]}; check AWS_ENDPOINT_URL"
    process = _scoped(session).get("credential_process")
    if process:
        return _of_retrieval(
            exceptions.CredentialRetrievalError(provider="process", error_msg=""), session
        )
    return (
        f"the AWS settings of the profile {_profile(session)!r} ({_files(session)}, the AWS_… "
        f"variables{_container()}) cannot be used: {type(error).__name__}; check them"
    )


def _scoped(session: "Session") -> dict[str, Any]:
    try:
        return dict(session.get_scoped_config())
    except exceptions.BotoCoreError:
        return {}
