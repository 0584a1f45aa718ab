"""Answers parts, holding the model once: what an engine makes an actor of."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import uuid4

from dcrnet_runtime.archive.answering import Answering, ReadOptions
from dcrnet_runtime.archive.cluster.part_file import Failed, PartCounts, PartDone, part_content
from dcrnet_runtime.archive.cluster.photo_list import PhotoPart, StoredPhoto
from dcrnet_runtime.archive.cluster.storage import Folder, Stored, stored_content
from dcrnet_runtime.archive.cluster.tries import Tries
from dcrnet_runtime.archive.part import Part, Usage
from dcrnet_runtime.archive.recognizer_spec import RecognizerSpec
from dcrnet_runtime.errors import DcrnetError
from dcrnet_runtime.outputs.spec import FrameFacts
from dcrnet_runtime.outputs.tables.columns import answer_columns
from dcrnet_runtime.video.files.signature import HEAD_BYTES, Media, signature_of
from dcrnet_runtime.video.images import Photo, decode_photo

_AHEAD = 4  # photos that are fetched while one is answered


@dataclass(frozen=True, slots=True)
class PartWork:
    """What all workers of a run have in common.

    Attributes:
        spec: how the recognizer is opened.
        options: how photos are read.
        facts: of the answers, for the columns and what files say of themselves.
        folder: address of the folder that parts are written to.
    """

    spec: RecognizerSpec
    options: ReadOptions
    facts: FrameFacts
    folder: str


class PartWorker:
    """Answers a part after the other, and writes each as a file.

    Args:
        work: what to do with them.
    """

    def __init__(self, work: PartWork) -> None:
        self._work = work
        self._answering: Answering | None = None
        self._folder: Folder | None = None
        self._number = uuid4().int >> 64
        self._fetching = ThreadPoolExecutor(_AHEAD)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Answer one.

        Args:
            row: ``part``, as :func:`part_row` gives it.

        Returns:
            ``done``, what :meth:`PartDone.to_text` gives. What no worker could do better is
            said there, so that no engine tries it again.
        """
        part = _part_of(row)
        try:
            done = self._answered(part)
        except DcrnetError as error:
            done = PartDone(PartCounts(part.number), refusal=str(error))
        return {"done": done.to_text()}

    def _answered(self, part: PhotoPart) -> PartDone:
        """Answer and write a part.

        Raises:
            DcrnetError: the model cannot be opened, or the part not be written.
        """
        folder = self._folder = self._folder or Folder(self._work.folder)
        tries = Tries.begin(folder, part.name)
        if self._answering is None:
            self._answering = self._opened()
        columns = answer_columns(self._work.facts)
        counts, rows = PartCounts(part.number, part.sha256), []
        seconds: dict[str, float] = {}
        notes: list[str] = []
        said_of = self._parts(self._answering, folder, part, tries)
        for number, (photo, said) in enumerate(said_of, part.first):
            for seen in said.observations:
                seen = replace(seen, frame=replace(seen.frame, index=number))
                rows += columns.rows(seen, None)
            for step, taken in said.seconds.items():
                seconds[step] = seconds.get(step, 0.0) + taken
            notes += said.notes
            counts = _counted(counts, photo, said)
        folder.write(part.name, part_content(columns.schema, rows, counts))
        tries.end(folder, part.name)
        used = Usage.of(os.getpid())
        return PartDone(
            counts, self._number, used.cpu_s, used.peak_bytes, seconds, notes=tuple(notes)
        )

    def _opened(self) -> Answering:
        import cv2

        cv2.setNumThreads(1)  # there is a worker for every core
        recognizer = self._work.spec.open()
        if recognizer.model.sha256 != self._work.facts.model_sha256:
            raise DcrnetError(
                "the model's file on a worker is another one than here: give all machines the"
                " same file, and the same version of dcrnet-edge"
            )
        return Answering(recognizer, self._work.options)

    def _parts(
        self, answering: Answering, folder: Folder, part: PhotoPart, tries: Tries
    ) -> Iterator[tuple[StoredPhoto, Part]]:
        """The answers to a part's photos, of which a few are fetched ahead."""
        photos = [
            replace(photo, failure=_fatal(photo)) if place in tries.left_out else photo
            for place, photo in enumerate(part.photos)
        ]
        left = deque(photos)
        fetched: deque[Future[bytes]] = deque()
        for place, photo in enumerate(photos):
            while left and len(fetched) < _AHEAD:
                fetched.append(self._fetching.submit(_content, left.popleft()))
            tries.enter(folder, part.name, place)
            yield photo, answering.photo(place, photo.name, self._reader(photo, fetched.popleft()))

    def _reader(self, photo: StoredPhoto, content: Future[bytes]) -> Callable[[], Photo]:
        address, enough_px = photo.stored.address, self._work.options.enough_px

        def read() -> Photo:
            found = content.result()
            signature = signature_of(found[:HEAD_BYTES])
            if signature.media is Media.VIDEO or signature.format == "GIF":
                raise DcrnetError(
                    f"{address} is a recording, and a cluster answers photos alone: answer it by"
                    " `engine` local"
                )
            return decode_photo(found, address, enough_px)

        return read


def part_row(part: PhotoPart) -> dict[str, str]:
    """A part as a row that every engine can carry."""
    return {"part": json.dumps(asdict(part))}


def _part_of(row: dict[str, Any]) -> PhotoPart:
    told = json.loads(row["part"])
    photos = (
        StoredPhoto(Stored(**each["stored"]), each["name"], each["failure"])
        for each in told["photos"]
    )
    return PhotoPart(told["number"], told["first"], tuple(photos))


def _fatal(photo: StoredPhoto) -> str:
    return (
        f"{photo.stored.address} was not answered: the workers that tried ended, twice at the same"
        " part, the second time at this photo"
    )


def _content(photo: StoredPhoto) -> bytes:
    if photo.failure:
        raise DcrnetError(photo.failure)
    return stored_content(photo.stored.address)


def _counted(counts: PartCounts, photo: StoredPhoto, said: Part) -> PartCounts:
    """The counts with one photo more."""
    if said.failure:
        failed = Failed(photo.stored.address, photo.name, said.failure)
        return replace(counts, failed=(*counts.failed, failed))
    faces = sum(len(seen.faces) for seen in said.observations)
    return replace(
        counts,
        faces=counts.faces + faces,
        with_faces=counts.with_faces + bool(faces),
        without=counts.without + (not faces),
    )
