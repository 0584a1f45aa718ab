"""What one would write: MediaPipe's mesh in video mode, PIL's crop and resize, the float model."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from dcrnet_bench.comparisons.camera import Camera
from dcrnet_bench.comparisons.trial import Trial
from dcrnet_runtime.landmarks import shipped_landmarks

_FRAME_MS = 40
"""Its tracker wants rising times."""


def answers(camera: Camera, trial: Trial) -> Iterator[tuple[int, bool]]:
    import mediapipe
    import onnxruntime
    from mediapipe.tasks.python import BaseOptions, vision
    from PIL import Image

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = trial.threads
    session = onnxruntime.InferenceSession(trial.model, options, ["CPUExecutionProvider"])
    side_px = session.get_inputs()[0].shape[1]
    name = session.get_inputs()[0].name
    asked = vision.FaceLandmarkerOptions(
        BaseOptions(model_asset_buffer=shipped_landmarks().read_bytes()),
        running_mode=vision.RunningMode.VIDEO,
    )
    with vision.FaceLandmarker.create_from_options(asked) as mesh:
        while camera.grab():
            rgb = cv2.cvtColor(camera.bgr(), cv2.COLOR_BGR2RGB)
            image = mediapipe.Image(mediapipe.ImageFormat.SRGB, rgb)
            found = mesh.detect_for_video(image, camera.index * _FRAME_MS).face_landmarks
            if found:
                size = rgb.shape[1::-1]
                points = np.array([(point.x, point.y) for point in found[0]]) * size
                left, top, right, bottom = map(int, (*points.min(axis=0), *points.max(axis=0)))
                face = Image.fromarray(rgb).crop((left, top, right, bottom))
                face = face.resize((side_px, side_px))
                session.run(None, {name: np.asarray(face)[None]})
            yield camera.index, bool(found)
