"""Which outputs are asked for, and what is said of them at the start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.sinks.address import PageAddress
from dcrnet_runtime.sinks.mqtt import Broker

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """Outputs, any number of them at once, and what they need to know of the source.

    Attributes:
        jsonl: file for JSON Lines, ``-`` for standard output, None for neither.
        csv: file for one row a face.
        video: file for an annotated video.
        pictures: file, or folder, for annotated photos.
        pictures_is_folder: which of the two.
        blur_faces: make faces unrecognisable in files and on the page.
        window: show the annotated picture on the screen.
        mqtt: URL of a broker.
        mqtt_discovery: tell Home Assistant.
        serve: ``[ADDR:]PORT`` of the live page.
        token: that the page asks for.
        labels: the model's, for the columns of CSV and for Home Assistant.
        is_live: whether the source goes on by itself: then slow outputs lose frames, and lines
            are appended to what is there. A recording waits, and its files are replaced.
        fps: of a recording; 0 where it is not known.
        source: address of the source, which no output may overwrite.
    """

    jsonl: str | None = STANDARD_OUTPUT
    csv: Path | None = None
    video: Path | None = None
    pictures: Path | None = None
    pictures_is_folder: bool = False
    blur_faces: bool = False
    window: bool = False
    mqtt: str = ""
    mqtt_discovery: bool = False
    serve: str = ""
    token: str = ""
    labels: tuple[str, ...] = ()
    is_live: bool = True
    fps: float = 0.0
    source: str = ""

    @property
    def files(self) -> dict[str, Path]:
        """What is written, by the option that names it."""
        jsonl = Path(self.jsonl) if self.jsonl not in (None, STANDARD_OUTPUT) else None
        named = {"--jsonl": jsonl, "--csv": self.csv, "--save": self.video or self.pictures}
        return {option: path for option, path in named.items() if path is not None}

    def check(self) -> None:
        """Refuse what contradicts itself before anything is opened.

        Raises:
            DcrnetError: outputs share a file, one would overwrite the source, or an option
                lacks the one that it belongs to.
        """
        if self.mqtt_discovery and not self.mqtt:
            raise DcrnetError("--mqtt-discovery needs a broker: --mqtt mqtt://HOST")
        if self.token and not self.serve:
            raise DcrnetError("--token needs a page: --serve [ADDR:]PORT")
        if self.blur_faces and not (self.serve or self.video or self.pictures):
            raise DcrnetError("--blur-faces needs a picture to blur: --save FILE or --serve 8080")
        taken = {Path(self.source).resolve(): "the source"} if self.source else {}
        for option, path in self.files.items():
            place = path.resolve()
            if place in taken:
                raise DcrnetError(
                    f"{option} {path} would overwrite {taken[place]}: name another place"
                )
            if path.is_file() or not path.exists():
                taken[place] = f"what {option} writes"

    def notice(self) -> str:
        """One line that says what is estimated, and what every output keeps or sends."""
        faces = "faces blurred" if self.blur_faces else "faces recognisable"
        kept = [f"{option.removeprefix('--')} {path}" for option, path in self.files.items()]
        kept = [f"{what} ({faces})" if what.startswith("save") else what for what in kept]
        sent = []
        if self.mqtt:
            broker = Broker.parse(self.mqtt)
            how = "encrypted" if broker.is_encrypted else "in the clear"
            sent.append(f"expressions to MQTT broker {broker} {how}")
        if self.serve:
            address = PageAddress.parse(self.serve)
            who = "to this machine" if address.is_loopback else "to the network, in the clear,"
            sent.append(f"pictures ({faces}) {who} at {address.url}")
        return (
            "Estimating facial expressions; no identity is computed. Kept:"
            f" {'; '.join(kept) or 'nothing'}. Sent: {'; '.join(sent) or 'nothing'}."
            " Ctrl-C stops."
        )
