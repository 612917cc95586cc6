"""Exports the measures of a run by OTLP, where OpenTelemetry is installed and configured.

The usual variables decide: OTEL_EXPORTER_OTLP_ENDPOINT (or …_METRICS_ENDPOINT) where to, and the
others of OpenTelemetry's SDK how. Without an endpoint, and without the SDK, nothing happens.
"""

import logging
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final, Protocol

_log = logging.getLogger(__name__)
_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_TIMEOUT_MILLISECONDS: Final = 10_000


class Exportable(Protocol):
    """One value of one series."""

    @property
    def name(self) -> str:
        """Of the metric."""

    @property
    def value(self) -> float:
        """The value now."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """What distinguishes the series of a metric."""


def export_measures(measures: Sequence[Exportable], descriptions: Mapping[str, str]) -> None:
    """Send the measures as gauges and wait until they are sent; a failure is only logged."""
    if not is_wanted(os.environ):
        return
    if find_spec("opentelemetry") is None:
        _log.warning('OTEL_… names an endpoint; `pip install "seefood[otel]"` exports to it')
        return
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415 (optional)
        OTLPMetricExporter,
    )
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 (optional)
    from opentelemetry.sdk.metrics.export import (  # noqa: PLC0415 (optional)
        PeriodicExportingMetricReader,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 (optional)

    own = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "seefood"}
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], Resource.create(own), shutdown_on_exit=False)
    try:
        meter = provider.get_meter("seefood")
        gauges = {
            name: meter.create_gauge(name, description=descriptions[name])
            for name in dict.fromkeys(each.name for each in measures)
        }
        for each in measures:
            gauges[each.name].set(each.value, dict(each.attributes))
    finally:
        provider.shutdown(timeout_millis=_TIMEOUT_MILLISECONDS)


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment asks for an export."""
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_none = environ.get("OTEL_METRICS_EXPORTER", "otlp").lower() == "none"
    return not is_off and not is_none and any(environ.get(name) for name in _ENDPOINTS)
