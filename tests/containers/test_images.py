"""What the images are built from, held to what is said of them without building any."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dcrnet_runtime.outputs.page.address import PageAddress

yaml = pytest.importorskip("yaml", reason="needs PyYAML, which the developers' environment has")

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"


def instructions(path: Path) -> list[tuple[str, str]]:
    """Name and text of each instruction of a Dockerfile, continued lines joined."""
    text = "".join(
        line for line in path.read_text().splitlines(keepends=True) if not line.startswith("#")
    )
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def last_stage(path: Path) -> list[tuple[str, str]]:
    found = instructions(path)
    begins = [index for index, (name, _) in enumerate(found) if name == "FROM"]
    return found[begins[-1] :]


@pytest.mark.parametrize("name", ["Dockerfile", "export.Dockerfile"])
def test_an_image_runs_as_a_user_without_rights(name: str) -> None:
    (*_, user) = [text for each, text in last_stage(DOCKER / name) if each == "USER"]
    assert user == "dcrnet"


@pytest.mark.parametrize("name", ["Dockerfile", "export.Dockerfile"])
def test_pip_installs_by_hash_and_leaves_no_bytecode(name: str) -> None:
    installs = [
        text
        for each, text in instructions(DOCKER / name)
        if each == "RUN" and "pip install" in text
    ]
    assert installs
    for text in installs:
        assert "--require-hashes" in text or "--no-index" in text
        assert "--no-compile" in text or "/opt/build" in text  # which is in no image


def test_the_runtime_image_says_what_it_is_and_whether_it_is_well() -> None:
    stage = last_stage(DOCKER / "Dockerfile")
    labels = " ".join(text for name, text in stage if name == "LABEL")
    for label in ("title", "description", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in labels
    (health,) = [text for name, text in stage if name == "HEALTHCHECK"]
    assert health.endswith('CMD ["dcrnet-healthcheck"]')
    assert (
        "COPY",
        "--chmod=755 docker/healthcheck.py /opt/dcrnet/bin/dcrnet-healthcheck",
    ) in stage
    assert ("WORKDIR", "/data") in stage
    assert any(
        name == "RUN" and "install -d -o dcrnet -g dcrnet /data" in text for name, text in stage
    )


def test_wheels_are_unpacked_on_the_building_machine_for_the_target() -> None:
    """buildah 1.28 knows neither platform unless it is told, and would emulate pip."""
    stages = [text for name, text in instructions(DOCKER / "Dockerfile") if name == "FROM"]
    assert stages == [
        "--platform=$BUILDPLATFORM ${BASE} AS packages",
        "--platform=$TARGETPLATFORM ${BASE}",
    ]
    check = (DOCKER / "check").read_text()
    for name in ("BUILDPLATFORM", "TARGETPLATFORM"):
        assert f'--build-arg "{name}=linux/' in check


def test_what_is_copied_is_in_the_build_context() -> None:
    let_in = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = set()
    for name in ("Dockerfile", "export.Dockerfile"):
        for each, text in instructions(DOCKER / name):
            words = [word for word in text.split() if not word.startswith("--")]
            if each == "COPY" and "--from" not in text:
                copied |= {word.partition("/")[0] for word in words[:-1]}
            copied |= {found.partition("/")[0] for found in re.findall(r"source=([^,\s]+)", text)}
    assert copied
    assert copied <= let_in
    assert all((ROOT / name).exists() for name in let_in)


def test_no_index_or_authority_of_anyone_is_written_down() -> None:
    for path in DOCKER.iterdir():
        if path.is_file():
            hosts = set(re.findall(r"https?://([\w.-]+)", path.read_text()))
            assert hosts <= {"download.pytorch.org", "127.0.0.1"}, path.name


def test_the_lock_files_agree_with_the_constraints() -> None:
    done = run_lock(DOCKER / "lock.py", "--check")
    assert (done.returncode, done.stderr) == (0, "")


def run_lock(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder with what it is checked against, to be spoilt."""
    shutil.copytree(DOCKER, tmp_path / "docker")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path / "docker"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (r"^typer==\S+", "typer==0.1.0", "runtime.lock has typer 0.1.0, constraints.txt 0."),
        (r"^paho-mqtt==[^#]*?\n(?=\w)", "", "runtime.lock lacks paho-mqtt>="),
        (r"(^h11==\S+)( \\\n +--hash\S+)+", r"\1", "runtime.lock has no hash of h11=="),
    ],
)
def test_a_lock_file_that_does_not_agree_is_told(
    copied: Path, old: str, new: str, told: str
) -> None:
    lock = copied / "runtime.lock"
    text, count = re.subn(old, new, lock.read_text(), flags=re.MULTILINE)
    assert count == 1
    lock.write_text(text)
    done = run_lock(copied / "lock.py", "--check")
    assert done.returncode == 1
    assert told in done.stderr
    assert "python docker/lock.py" in done.stderr


def test_the_runtime_locks_no_training_packages() -> None:
    names = re.findall(r"^([\w.-]+)==", (DOCKER / "runtime.lock").read_text(), re.MULTILINE)
    assert len(names) > 20
    assert not {"torch", "lightning", "onnx", "scikit-learn", "matplotlib"} & set(names)
    assert {"starlette", "uvicorn", "paho-mqtt", "av"} <= set(names)


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


def test_compose_gives_the_camera_to_the_command_that_reads_it(compose: Any) -> None:
    service = compose["services"]["dcrnet"]
    (device,) = service["devices"]
    assert device.endswith(":/dev/video0")
    words = service["command"]
    assert words[words.index("--camera") + 1] == "0"
    assert service["build"] == {"context": "..", "dockerfile": "docker/Dockerfile"}


def test_compose_serves_the_page_with_a_token_to_this_machine_alone(compose: Any) -> None:
    service = compose["services"]["dcrnet"]
    address = PageAddress.parse(service["command"][service["command"].index("--serve") + 1])
    assert not address.is_loopback  # or no port of the host would reach it
    assert service["environment"]["DCRNET_TOKEN"].startswith("${DCRNET_TOKEN:?")
    assert service["ports"] == [f"${{DCRNET_PAGE:-127.0.0.1:8080}}:{address.port}"]


def test_compose_keeps_the_broker_inside(compose: Any) -> None:
    broker, service = (compose["services"][name] for name in ("broker", "dcrnet"))
    assert "ports" not in broker
    assert broker["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}
    assert "inside" in service["networks"]
    words = service["command"]
    assert words[words.index("--mqtt") + 1].startswith("mqtt://broker/")
    ((source, _, _),) = [volume.split(":") for volume in broker["volumes"]]
    assert "listener 1883" in (DOCKER / source).read_text()


def test_the_words_of_compose_are_ones_that_the_command_takes(compose: Any) -> None:
    import typer

    from dcrnet_runtime.cli.run import app

    words = [str(word) for word in compose["services"]["dcrnet"]["command"]]
    typer.main.get_command(app).make_context("dcrnet-run", words)


@pytest.mark.parametrize("service", ["broker", "dcrnet"])
def test_compose_takes_rights_away(compose: Any, service: str) -> None:
    found = compose["services"][service]
    assert found["cap_drop"] == ["ALL"]
    assert found["read_only"] is True
    assert found["security_opt"] == ["no-new-privileges:true"]


def test_the_check_names_what_to_install(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("the check asks for root's rights first")
    for name in ("bash", "dirname", "id", "uname"):
        (tmp_path / name).symlink_to(shutil.which(name) or "/nowhere")
    done = subprocess.run(
        [str(DOCKER / "check"), "amd64"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "apt-get install buildah mmdebstrap" in done.stderr


def test_the_check_refuses_what_it_does_not_know() -> None:
    done = subprocess.run(
        [str(DOCKER / "check"), "riscv"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "usage: docker/check" in done.stderr


@pytest.fixture
def stand_in(tmp_path: Path) -> dict[str, str]:
    """The environment of a check whose builder is at work until it is ended."""
    if os.getuid() != 0:
        pytest.skip("the check asks for root's rights first")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("buildah", "mmdebstrap", "arch-test", "unshare"):
        (programs / name).write_text("#!/bin/sh\nexec sleep 600\n")
        (programs / name).chmod(0o755)
    folder = tmp_path / "folder"
    folder.mkdir()
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TMPDIR": str(folder)}


def started(environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
    """A check, and its folder."""
    folder = Path(environment["TMPDIR"])
    before = {*folder.iterdir()}
    process = subprocess.Popen(
        [str(DOCKER / "check"), "amd64"],
        env=environment,
        # Tests that run under nohup would hand on that it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 120.0
    while process.poll() is None and time.monotonic() < deadline:
        new = {path for path in {*folder.iterdir()} - before if (path / "gate").exists()}
        if new:
            return process, new.pop()
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the check did not come to its builder")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_check_that_is_interrupted_leaves_nothing(
    stand_in: dict[str, str], number: signal.Signals
) -> None:
    process, work = started(stand_in)
    process.send_signal(number)
    assert process.wait(60) != 0
    assert not work.exists()


def test_what_a_killed_check_left_is_removed_by_the_next_one_and_a_running_ones_stays(
    stand_in: dict[str, str],
) -> None:
    folder = Path(stand_in["TMPDIR"])
    (folder / "dcrnet-containers.killed" / "storage").mkdir(parents=True)
    running, work = started(stand_in)
    assert not (folder / "dcrnet-containers.killed").exists()
    other, _ = started(stand_in)
    assert work.exists()
    for process in (running, other):
        process.terminate()
        process.wait(60)
    assert [*folder.iterdir()] == []
