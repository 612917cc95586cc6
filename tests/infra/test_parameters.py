"""Parameters of the template are checked before anything is built."""

import re

import pytest

from infra.parameters import ParameterError, check_parameters, split_parameters


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("Nonsense=1", "no parameter of the template"),
        ("HttpAccess=everybody", "none of none, iam, token, public"),
        ("LambdaMemory=100", "from 256 to 10240"),
        ("LambdaMemory=much", "no number"),
        ("ImageBucketName=My_Photos", "does not have the form"),
        ("ReservedConcurrency=5", "below LambdaConcurrency=10"),
        ("ScheduleExpression=cron(0 2 * * *)", "no schedule"),
        ("ScheduleExpression=cron(0 2 * * * *)", "not as both"),
        ("ScheduleExpression=every night", "no schedule"),
        ("VpcId=vpc-0123456789abcdef0", "belong together"),
        ("BulkVcpus=16", "Fargate takes"),
        ("BulkGpuInstances=large", "does not have the form"),
        ("BulkGpuInstances=g6.xlarge,g5g.xlarge", "g5g.xlarge has no NVIDIA GPU"),
        ("HttpAccess=token", "belong together"),
        ("HttpToken=short", "its value does not have the form"),
        ("ImagePrefix=in/,in/new/", "would be taken twice"),
        ("ImagePrefix=1/,2/,3/,4/,5/", "does not have the form"),
        ("ImageSuffix=*.jpg", "does not have the form"),
        ("SnapStart=maybe", "none of yes, no"),
        ("TopK=1.5", "a whole number"),
        ("LambdaMemory=1e3", "no number"),
        ("LambdaMemory= 1024", "no number"),
        ("MaxBytes=-1", "at least 0"),
        ("MonthlyBudget=12.50", "has nobody to tell"),
        ("CorsOrigins=https://a.example,https://b.example/", "'https://b.example/'"),
        ("LabelTag=aws:label", "and not aws: in front"),
        ("ImageBucketName=192.168.0.1", "a general purpose bucket"),
        ("ResultsBucketName=rows..2026", "a general purpose bucket"),
        ("ImageBucketName=photos-7d3f-s3alias", "no alias"),
        ("ImagePrefix=in/*", "no pattern"),
        ("VpcId=my-vpc", "the id of a VPC"),
        ("SubnetIds=a,b", "subnet-0123456789abcdef0"),
        ("AlarmEmail=me", "a mail address"),
        ("PicturesKeyArn=arn:aws:kms:eu-west-1:123456789012:alias/a", "not of an alias"),
        ("ScheduleTimezone=Europe/Atlantis", "no time zone"),
        ("ScheduleExpression=cron(60 2 * * ? *)", "the minute '60'"),
        ("ScheduleExpression=cron(0 2 ? * MON-FUN *)", "the day of the week 'MON-FUN'"),
        ("ScheduleExpression=cron(0 2/0 * * ? *)", "the hour '2/0'"),
        ("ScheduleExpression=at(2026-13-01T02:00:00)", "no schedule"),
    ],
)
def test_every_parameter_is_checked_before_the_first_step(parameter: str, message: str) -> None:
    """One sentence with the value and what is right."""
    with pytest.raises(ParameterError, match=re.escape(message)):
        check_parameters("seefood", "eu-west-1", (parameter,))


def test_a_gpu_is_for_one_architecture_and_has_no_limits_of_fargate() -> None:
    """CUDA's builds are for x86_64; EC2 takes any memory that its instances have."""
    gpu = "BulkGpuInstances=g6.16xlarge"
    with pytest.raises(ParameterError, match="needs BulkArchitecture=X86_64"):
        check_parameters("seefood", "eu-west-1", (gpu, "BulkArchitecture=ARM64"))
    check_parameters("seefood", "eu-west-1", (gpu, "BulkVcpus=16", "BulkMemory=16384"))


@pytest.mark.parametrize(
    "parameters",
    [
        ("ScheduleExpression=cron(15 10 ? * MON-FRI *)", "ScheduleTimezone=Europe/Berlin"),
        ("ScheduleExpression=rate(12 hours)",),
        ("ScheduleExpression=cron(0/15 8-17,22 L JAN,jul ? 2026-2030)",),
        ("ScheduleExpression=cron(0 2 ? * 6#3 *)",),
        ("ScheduleExpression=at(2026-12-31T02:00:00)",),
        ("MonthlyBudget=12.50", "AlarmEmail=me@example.org", "AlarmFailureRatio=0.5"),
        ("CorsOrigins=*",),
        ("CorsOrigins=https://a.example,http://localhost:8000", "LabelTag=what is it"),
        ("VpcId=vpc-0123456789abcdef0", "SubnetIds=subnet-01,subnet-02"),
        ("PicturesKeyArn=arn:aws:kms:eu-west-1:123456789012:key/1", "ImageBucketName=a.b-c"),
        ("ReservedConcurrency=10", "HttpAccess=public"),
        ("Bulk=none",),
        ("HttpAccess=token", "HttpToken=correct-horse-battery"),
        ("BulkGpuInstances=g6.xlarge,g5.xlarge", "BulkVcpus=4", "BulkMemory=8192"),
        ("ImagePrefix=in/,my phone/", "ImageSuffix=.jpg,.JPG", "SnapStart=yes"),
    ],
)
def test_good_parameters_pass(parameters: tuple[str, ...]) -> None:
    """Expressions may have spaces."""
    check_parameters("seefood", "eu-west-1", parameters)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ((), ()),
        ((" ",), ()),
        (("TopK=3 BulkJob=none",), ("TopK=3", "Bulk=none")),
        (
            ("ScheduleExpression=cron(0 2 * * ? *) BulkVcpus=4",),
            ("ScheduleExpression=cron(0 2 * * ? *)", "BulkVcpus=4"),
        ),
        (("'ImagePrefix=my TopK=1/' TopK=2",), ("ImagePrefix=my TopK=1/", "TopK=2")),
        (('ImagePrefix="my phone/" TopK=2',), ("ImagePrefix=my phone/", "TopK=2")),
        (("ImagePrefix=it's/", "TopK=2"), ("ImagePrefix=it's/", "TopK=2")),
        (("TopK=2 Nonsense",), ("TopK=2 Nonsense",)),
    ],
)
def test_parameters_in_one_text_are_taken_apart(
    texts: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """As `make deploy PARAMETERS=…` gives them; a schedule needs no quotes."""
    assert expected == split_parameters(texts)


def test_names_and_regions_are_checked_together() -> None:
    """Buckets have at most 63 characters; some regions have no function URLs."""
    with pytest.raises(ParameterError, match="no region"):
        check_parameters("seefood", "moon-1", ())
    with pytest.raises(ParameterError, match="take at most 27"):
        check_parameters("a" * 28, "ap-southeast-1", ())
    check_parameters("a" * 27, "ap-southeast-1", ())
    with pytest.raises(ParameterError, match="HttpAccess=none"):
        check_parameters("seefood", "cn-north-1", ())
    check_parameters("seefood", "cn-north-1", ("HttpAccess=none",))
