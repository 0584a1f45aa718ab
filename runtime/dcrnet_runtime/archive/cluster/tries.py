"""How often a part was begun, so that a photo that ends its workers does not do so for ever."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from dcrnet_runtime.archive.cluster.storage import Folder
from dcrnet_runtime.errors import DcrnetError

SUFFIX = ".trying"
_MOST = 8


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of a part, as the folder of the parts has them until it is written.

    From the second one on it is noted before each photo which one is next. A photo at which such a
    try has ended as well is left out.

    Attributes:
        count: of the tries, with this one.
        at: the photo that is being answered, by its place in the part; -1 where none is noted.
        left_out: photos at which workers ended.
    """

    count: int = 1
    at: int = -1
    left_out: tuple[int, ...] = ()

    @classmethod
    def begin(cls, folder: Folder, name: str) -> Tries:
        """One try more.

        Raises:
            DcrnetError: it cannot be noted, or there were too many.
        """
        file = f"_{name}{SUFFIX}"
        tries = cls()
        if folder.has(file):
            told = json.loads(folder.read(file))
            left_out = tuple(sorted({*told["left_out"], *([told["at"]] * (told["at"] >= 0))}))
            tries = cls(told["count"] + 1, -1, left_out)
        if tries.count > _MOST:
            raise DcrnetError(
                f"{name} was begun {_MOST} times by workers that ended: is there too little"
                " memory, or are machines lost again and again? Take fewer `workers`, and give"
                " `resume`"
            )
        tries._note(folder, name)
        return tries

    def enter(self, folder: Folder, name: str, place: int) -> None:
        """Note which photo is next.

        Raises:
            DcrnetError: it cannot be noted.
        """
        if self.count > 1:
            replace(self, at=place)._note(folder, name)

    @staticmethod
    def end(folder: Folder, name: str) -> None:
        """The part is written.

        Raises:
            DcrnetError: the note cannot be removed.
        """
        folder.remove(f"_{name}{SUFFIX}")

    def _note(self, folder: Folder, name: str) -> None:
        folder.write(f"_{name}{SUFFIX}", json.dumps(asdict(self)).encode())
