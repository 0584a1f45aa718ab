"""What Home Assistant is told so that it makes sensors by itself."""

from __future__ import annotations

import json
import re

from dcrnet_runtime.recognizer import UNCERTAIN
from dcrnet_runtime.version import __version__

_PREFIX = "homeassistant"
_NOBODY = "none"
_UNKNOWN = "None"  # Home Assistant's word for a sensor without a value
# The repository has no address yet.
_SUPPORT_URL = "https://doi.org/10.19139/soic-2310-5070-3171"


def discovery_messages(topic: str, labels: tuple[str, ...]) -> dict[str, str]:
    """Retained messages by topic, as Home Assistant's MQTT discovery reads them.

    The sensors of the first face are its expression and that expression's probability, unknown
    where nobody is; a third one counts faces.

    Args:
        topic: below which state and status are published.
        labels: the model's.
    """
    device = re.sub(r"[^A-Za-z0-9_-]", "_", topic)
    entity = device.replace("-", "_").lower()
    return {
        f"{_PREFIX}/sensor/{device}/{key}/config": json.dumps(
            {
                **sensor,
                "unique_id": f"{device}_{key}",
                "default_entity_id": f"sensor.{entity}_{key}",
                "object_id": f"{device}_{key}",  # before Home Assistant 2025.10
                "state_topic": f"{topic}/state",
                "availability_topic": f"{topic}/status",
                "expire_after": 60,
                "device": {
                    "identifiers": [device],
                    "name": topic,
                    "model": "DCRNet",
                    "sw_version": __version__,
                },
                "origin": {
                    "name": "dcrnet-edge",
                    "sw_version": __version__,
                    "support_url": _SUPPORT_URL,
                },
            }
        )
        for key, sensor in _sensors(labels).items()
    }


def _sensors(labels: tuple[str, ...]) -> dict[str, dict[str, object]]:
    """What each sensor is called, and how it reads its value from a state message."""
    first = "value_json.faces[0].track"
    return {
        "expression": {
            "name": "Expression",
            "device_class": "enum",
            "options": [*labels, UNCERTAIN, _NOBODY],
            "value_template": f"{{{{ ({first}.label or '{UNCERTAIN}') if value_json.faces"
            f" else '{_NOBODY}' }}}}",
            "icon": "mdi:emoticon-outline",
        },
        "probability": {
            "name": "Expression probability",
            "unit_of_measurement": "%",
            "state_class": "measurement",
            "value_template": f"{{{{ ({first}.probability * 100) | round if value_json.faces"
            f" else '{_UNKNOWN}' }}}}",
            "icon": "mdi:percent-outline",
        },
        "faces": {
            "name": "Faces",
            "state_class": "measurement",
            "value_template": "{{ value_json.faces | length }}",
            "icon": "mdi:account-multiple-outline",
        },
    }
