"""A self-made certificate, since a phone's browser gives its camera to HTTPS alone."""

from __future__ import annotations

import ipaddress
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError

_DAYS = 30


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM.

    Attributes:
        chain: the certificate.
        key: its private key.
    """

    chain: Path
    key: Path

    @classmethod
    def make(cls, folder: Path, hosts: list[str]) -> Certificate:
        """For some names or addresses, valid for a month, with openssl.

        Raises:
            DcrnetError: openssl is missing or fails.
        """
        made = cls(folder / "certificate.pem", folder / "key.pem")
        names = ",".join(f"{_kind(host)}:{host}" for host in hosts)
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", str(_DAYS)]
        command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=dcrnet-edge"]
        command += ["-addext", f"subjectAltName={names}"]
        command += ["-keyout", str(made.key), "-out", str(made.chain)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise DcrnetError("`tls` needs openssl: apt install openssl") from error
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise DcrnetError(f"openssl failed ({reason}): leave `tls` out") from error
        return made


def _kind(host: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "DNS"
    return "IP"
