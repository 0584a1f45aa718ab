"""``dcrnet-run --notice``: what people in front of the camera are told."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from dcrnet_runtime.cli.run import app


def test_it_says_what_the_outputs_beside_it_keep_and_send(tmp_path: Path) -> None:
    plain = CliRunner().invoke(app, ["--notice"])
    assert plain.exit_code == 0, plain.output
    assert "Kept: nothing." in plain.stdout
    assert "Sent: nothing." in plain.stdout
    assert "Art. 50(3)" in plain.stdout
    assert max(map(len, plain.stdout.splitlines())) <= 80
    log = tmp_path / "log.jsonl"
    mqtt = ["--mqtt", "mqtt://user:secret@broker"]
    told = CliRunner().invoke(app, ["--notice", "--jsonl", str(log), *mqtt]).stdout
    kept, sent = (told.split(name)[1].split("\n")[0] for name in ("Kept: ", "Sent: "))
    assert "log.jsonl" in kept
    assert "broker" in sent
    assert "secret" not in told
    assert not log.exists()
