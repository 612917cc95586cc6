"""Label Studio's JSON: tasks with an image and a choice.

https://labelstud.io/guide/tasks and https://labelstud.io/guide/export. What a person said is an
annotation, what the model said a prediction. The labelling configuration has an `Image` named
`image` and `Choices` named `choice`:

    <View><Image name="image" value="$image"/>
    <Choices name="choice" toName="image"><Choice value="..."/></Choices></View>

`Choices` has `choice="multiple"` for pictures of several labels.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from seefood.corrections.final import By
from seefood.corrections.label_files.base import FinalLabel, LabelFile


class LabelStudio(LabelFile):
    """Label Studio's tasks; reads its export `JSON` and `JSON-MIN`."""

    name = "label-studio"
    suffixes = (".json",)

    def encode(self, labels: Iterable[FinalLabel], base: str) -> Mapping[str, bytes]:
        """See `LabelFile.encode`. A picture without a label is a task without an answer."""
        del base
        tasks = (json.dumps(_task(label), ensure_ascii=False) for label in labels)
        text = ",\n".join(tasks)
        return {"": f"[\n{text}\n]\n".encode("utf-8", "backslashreplace")}

    def decode(self, files: Mapping[str, bytes]) -> Iterator[FinalLabel]:
        """See `LabelFile.decode`. Tasks that nobody has answered are left out."""
        tasks = json.loads(files[""])
        if not isinstance(tasks, list):
            raise ValueError("it is not a list of tasks")  # noqa: TRY004 (the content is wrong)
        for task in tasks:
            names = _answer(task)
            if names is not None:
                data = task.get("data", task)
                label, several = next(iter(names), None), names if len(names) != 1 else None
                yield FinalLabel(str(data["image"]), data.get("etag"), label, labels=several)


def _task(label: FinalLabel) -> dict[str, Any]:
    task: dict[str, Any] = {"data": {"image": label.uri, "etag": label.etag}}
    if label.label is None and label.labels is None:
        return task
    result = {
        "from_name": "choice",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": list(label.names)},
    }
    if label.by is By.PERSON:
        return {**task, "annotations": [{"result": [result]}]}
    prediction = {"model_version": label.model_digest, "score": label.score, "result": [result]}
    return {**task, "predictions": [prediction]}


def _answer(task: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the choices of the latest annotation that was not cancelled; None without one.

    An annotation without a choice says that no label holds, if choices are multiple.
    """
    if "choice" in task:  # JSON-MIN
        choice = task["choice"]
        return _texts(choice["choices"] if isinstance(choice, dict) else [choice])
    given = [each for each in task.get("annotations", []) if not each.get("was_cancelled")]
    given.sort(key=lambda each: str(each.get("updated_at") or each.get("created_at") or ""))
    for annotation in reversed(given):
        for result in annotation.get("result", []):
            if result.get("type") == "choices":
                return _texts(result["value"]["choices"])
    return None


def _texts(choices: list[Any]) -> tuple[str, ...]:
    return tuple(map(str, choices))
