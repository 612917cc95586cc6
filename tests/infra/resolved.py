"""The template with parameters, resolved: conditions and functions of CloudFormation."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
STACK: Final = "seefood"
TEMPLATE: Final = Path(__file__).parent.parent.parent / "infra" / "template.yaml"
_PSEUDO: Final = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
}


@dataclass(frozen=True)
class Template:
    """The template with parameters, as CloudFormation gets it."""

    document: Mapping[str, Any]
    parameters: Mapping[str, str]
    physical: Mapping[str, str] = field(default_factory=dict)
    """The values of `Ref` and `GetAtt` of existing resources, by `Name` and `Name.Attribute`."""

    def resources(self, kind: str | None = None) -> dict[str, Any]:
        """Return the resources of one type whose condition is true, unresolved, by name."""
        return {
            name: resource
            for name, resource in self.document["Resources"].items()
            if kind in (None, resource["Type"]) and self._holds(resource.get("Condition"))
        }

    def properties(self, name: str) -> dict[str, Any]:
        """Return the properties of a resource, resolved."""
        resolved = self.resolve(self.document["Resources"][name]["Properties"])
        assert isinstance(resolved, dict)
        return resolved

    def resolve(self, value: Any) -> Any:
        """Return `value` with CloudFormation's functions applied."""
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        items_of = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in items_of.items() if item is not None}

    def present(self, value: Any) -> Any:
        """Return `value` with the branches that are taken, without AWS::NoValue.

        moto leaves a null there.
        """
        if isinstance(value, dict) and {"Fn::If"} == value.keys():
            condition, *branches = value["Fn::If"]
            return self.present(branches[0 if self._holds(condition) else 1])
        if isinstance(value, list):
            return [self.present(item) for item in value if not self._is_absent(item)]
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if not self._is_absent(item)}
            return {key: self.present(item) for key, item in kept.items()}
        return value

    def _is_absent(self, value: Any) -> bool:
        if not isinstance(value, dict) or {"Fn::If"} != value.keys():
            return bool(value == {"Ref": "AWS::NoValue"})
        condition, *branches = value["Fn::If"]
        return self._is_absent(branches[0 if self._holds(condition) else 1])

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        return self.parameters[name] if name in self.parameters else self.physical[name]

    def _function(self, name: str, argument: Any) -> Any:
        if name == "Fn::GetAtt":
            path = argument if isinstance(argument, str) else ".".join(argument)
            return self.physical[path]
        if name == "Fn::Sub":
            text, values = (argument, {}) if isinstance(argument, str) else argument
            own = {key: self.resolve(item) for key, item in values.items()}
            return re.sub(r"\$\{([^!}]+)\}", lambda match: self._substitute(match[1], own), text)
        if name == "Fn::If":
            return self.resolve(argument[1 if self._holds(argument[0]) else 2])
        if name == "Fn::Join":
            return argument[0].join(map(str, self.resolve(argument[1])))
        if name == "Fn::Split":
            return str(self.resolve(argument[1])).split(argument[0])
        if name == "Fn::Select":
            return self.resolve(argument[1])[int(argument[0])]
        raise ValueError(f"the template uses {name}, which this class does not support: add it")

    def _substitute(self, name: str, own: Mapping[str, Any]) -> str:
        if name in own:
            return str(own[name])
        return str(self.physical[name] if "." in name else self._ref(name))

    def _holds(self, condition: Any) -> bool:
        if condition is None:
            return True
        if isinstance(condition, str):
            return self._holds(self.document["Conditions"][condition])
        ((name, arguments),) = condition.items()
        if name == "Condition":
            return self._holds(arguments)
        if name == "Fn::Equals":
            left, right = map(self.resolve, arguments)
            return str(left) == str(right)
        if name == "Fn::Not":
            return not self._holds(arguments[0])
        if name == "Fn::And":
            return all(map(self._holds, arguments))
        if name == "Fn::Or":
            return any(map(self._holds, arguments))
        raise ValueError(f"the template uses {name}, which this class does not support: add it")


def read_template(**parameters: str) -> Template:
    """Return the template as SAM translates it, with its defaults and `parameters`."""
    document = yaml_parse(TEMPLATE.read_text())
    document["Resources"]["Classifier"]["Properties"]["CodeUri"] = "s3://code/lambda.zip"
    defaults = {name: str(one["Default"]) for name, one in document["Parameters"].items()}
    values = {**defaults, **parameters}
    # No managed policies: every policy is in the template.
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=REGION))
    return Template(translator.translate(document, dict(values)), values)
