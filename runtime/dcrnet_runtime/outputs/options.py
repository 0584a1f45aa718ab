"""Which outputs are asked for, and what is said of them at the start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.mqtt.state import Broker
from dcrnet_runtime.outputs.page.address import PageAddress
from dcrnet_runtime.video.feed import Feed

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """Outputs, any number of them at once, and what they need to know of the source.

    Attributes:
        jsonl: file for JSON Lines, ``-`` for standard output, None for neither.
        csv: file for one row a face.
        save: file for an annotated video or photo, or folder for photos.
        blur_faces: make faces unrecognisable in files and on the page.
        window: show the annotated picture on the screen.
        mqtt: URL of a broker.
        mqtt_discovery: tell Home Assistant.
        serve: ``[ADDR:]PORT`` of the live page.
        token: that the page asks for.
        labels: the model's, for the columns of CSV and for Home Assistant.
        feed: a live source goes on by itself, so slow outputs lose frames, and lines are
            appended to what is there. Anything else waits, and its files are replaced.
        fps: of a recording; 0 where it is not known.
        inputs: files that are read, none of which an output may overwrite.
    """

    jsonl: str | None = STANDARD_OUTPUT
    csv: Path | None = None
    save: Path | None = None
    blur_faces: bool = False
    window: bool = False
    mqtt: str = ""
    mqtt_discovery: bool = False
    serve: str = ""
    token: str = ""
    labels: tuple[str, ...] = ()
    feed: Feed = Feed.LIVE
    fps: float = 0.0
    inputs: tuple[Path, ...] = ()

    @property
    def is_live(self) -> bool:
        """Whether the source goes on by itself."""
        return self.feed is Feed.LIVE

    @property
    def files(self) -> dict[str, Path]:
        """What is written, by the option that names it."""
        jsonl = Path(self.jsonl) if self.jsonl not in (None, STANDARD_OUTPUT) else None
        named = {"--jsonl": jsonl, "--csv": self.csv, "--save": self.save}
        return {option: path for option, path in named.items() if path is not None}

    def check(self) -> None:
        """Refuse what contradicts itself before anything is opened.

        Raises:
            DcrnetError: an address is none, outputs share a file, one would overwrite an input,
                or an option lacks the one that it belongs to.
        """
        if self.mqtt:
            Broker.parse(self.mqtt)
        if self.serve:
            PageAddress.parse(self.serve).check_token(self.token)
        if self.mqtt_discovery and not self.mqtt:
            raise DcrnetError("--mqtt-discovery needs a broker: --mqtt mqtt://HOST")
        if self.blur_faces and not (self.serve or self.save):
            raise DcrnetError("--blur-faces needs a picture to blur: --save FILE or --serve 8080")
        taken = {path.resolve(): "the source" for path in self.inputs}
        for option, path in self.files.items():
            is_folder = path is self.save and self.feed is Feed.PHOTOS
            for written in [path / photo.name for photo in self.inputs] if is_folder else [path]:
                place = written.resolve()
                if place in taken:
                    raise DcrnetError(
                        f"{option} {written} would overwrite {taken[place]}: name another place"
                    )
                if written.is_file() or not written.exists():  # a device can be shared
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
