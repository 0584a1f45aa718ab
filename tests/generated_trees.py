"""Small data sets in exactly the layouts that people have, one writer a layout.

Every image is its own noise, so that nothing is a repeat by chance.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from dcrnet_edge.datasets.sample import EXPRESSIONS

CKPLUS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
_seeds = count()


def write_image(path: Path, brightness: int = 0, side: int = 48) -> None:
    """Noise of a given brightness, in the format of the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(next(_seeds)).integers(0, 120, (side, side), dtype=np.uint8)
    cv2.imwrite(str(path), noise + np.uint8(brightness))


def write_folders(root: Path, images: int = 6, splits: tuple[str, ...] = ()) -> Path:
    """``Happy`` is bright, ``neutral`` is dark; with or without a level of splits."""
    for level in splits or ("",):
        for name, brightness in (("Happy", 120), ("neutral", 0)):
            for index in range(images):
                write_image(root / level / name / f"{index}.png", brightness)
    return root


def write_fer2013(root: Path, rows: int = 21) -> Path:
    """Kaggle's ``fer2013.csv``; every third row is PublicTest, every third PrivateTest."""
    root.mkdir(parents=True, exist_ok=True)
    lines = ["emotion,pixels,Usage"]
    for index in range(rows):
        pixels = np.random.default_rng(index).integers(0, 256, 48 * 48)
        usage = ("Training", "PublicTest", "PrivateTest")[index % 3]
        lines.append(f"{index // 3 % 7},{' '.join(map(str, pixels))},{usage}")
    (root / "fer2013.csv").write_text("\n".join(lines) + "\n")
    return root


def write_votes(root: Path, rows: int = 21) -> Path:
    """``fer2013new.csv`` whose rows belong to :func:`write_fer2013`'s; one has no image."""
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt"
    lines = [f"{header},unknown,NF"]
    for index in range(rows):
        usage = ("Training", "PublicTest", "PrivateTest")[index % 3]
        votes = [0] * 10
        votes[index // 3 % 7] = 10
        name = "" if index == 3 else f"fer{index:07}.png"
        lines.append(f"{usage},{name},{','.join(map(str, votes))}")
    (root / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    return root


def write_affectnet(root: Path, images: int = 33) -> Path:
    """``train_set`` and ``val_set`` with a code 0 to 10 each."""
    for name in ("train_set", "val_set"):
        (root / name / "annotations").mkdir(parents=True)
        for index in range(images):
            write_image(root / name / "images" / f"{index}.jpg")
            np.save(root / name / "annotations" / f"{index}_exp.npy", np.array(str(index % 11)))
            np.save(root / name / "annotations" / f"{index}_val.npy", np.array("0.5"))
    return root


def write_affectnet_tables(
    root: Path, *, validation_header: bool = False, is_unpacked: bool = False
) -> Path:
    """The older release: ``training.csv``, and ``validation.csv`` without a header.

    Flat, or as its archives unpack: the tables in a folder, the images two deep, in numbered
    folders and named by hashes.
    """
    tables = root / "Manually_Annotated_file_lists" if is_unpacked else root
    images = root / "Manually_Annotated" if is_unpacked else root
    columns = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks"
    header = f"{columns},expression,valence,arousal"
    for table in ("training", "validation"):
        rows = [header] if table == "training" or validation_header else []
        for index in range(33):
            name, code = f"{table}/{index}.jpg", index % 11
            if is_unpacked:
                name = f"{index + 1}/{sha256(name.encode()).hexdigest()}.jpg"
            write_image(images / "Manually_Annotated_Images" / name, side=60)
            rows.append(f"{name},4,6,48,50,1.0;2.0,{code},0.1,0.2")
        tables.mkdir(parents=True, exist_ok=True)
        (tables / f"{table}.csv").write_text("\n".join(rows) + "\n")
    return root


def write_ckplus(root: Path, subjects: int = 14) -> Path:
    """The 48 x 48 version: three frames of one sequence a subject."""
    for subject in range(subjects):
        name = CKPLUS[subject % len(CKPLUS)].replace("happiness", "happy")
        for frame in range(10, 13):
            write_image(root / name / f"S{subject:03}_001_{frame:08}.png")
    return root


def write_ckplus_original(root: Path, subjects: int = 21) -> Path:
    """The original trees: five frames a sequence, and a label beside all but the last one."""
    for subject in range(subjects + 1):
        session = Path(f"S{subject:03}") / "001"
        for frame in range(1, 6):
            stem = f"S{subject:03}_001_{frame:08}"
            write_image(root / "cohn-kanade-images" / session / f"{stem}.png")
        folder = root / "Emotion" / session
        folder.mkdir(parents=True)
        if subject < subjects:
            label = f"   {subject % 7 + 1}.0000000e+00\n"
            (folder / f"S{subject:03}_001_00000005_emotion.txt").write_text(label)
    return root


def write_kdef(root: Path, people: int = 4) -> Path:
    """Both sessions and two angles of every expression, in a folder per person."""
    for person in range(1, people + 1):
        for session in "AB":
            folder = root / f"{session}F{person:02}"
            for code in ("AF", "AN", "DI", "HA", "NE", "SA", "SU"):
                for angle in ("S", "HL"):
                    write_image(folder / f"{folder.name}{code}{angle}.JPG")
    return root


def write_rafdb(root: Path) -> Path:
    """The original layout: a list of labels beside aligned images."""
    lines = []
    for split in ("train", "test"):
        for index in range(14):
            stem = f"{split}_{index:05}"
            write_image(root / "basic" / "Image" / "aligned" / f"{stem}_aligned.jpg")
            lines.append(f"{stem}.jpg {index % 7 + 1}")
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("\n".join(lines) + "\n")
    return root


def write_rafdb_folders(root: Path) -> Path:
    """The common layout: ``train/1`` to ``test/7``."""
    for split in ("train", "test"):
        for code in range(1, len(EXPRESSIONS) + 1):
            for index in range(2):
                write_image(root / "DATASET" / split / str(code) / f"{split}_{code}{index}.jpg")
    return root
