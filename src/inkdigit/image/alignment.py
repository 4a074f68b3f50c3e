"""For forms: align a page to a reference page (OpenCV, extra `forms`), and cut fields out of it."""

import importlib.util
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .arrays import Pixels
from .limits import READ_SIDE

FEATURE_SIDE = 1600  # px: the longest side of the pages whose features are compared
FEATURES = 4000
RATIO = 0.8  # of the distances to the best and to the second best match, after Lowe 2004
MIN_INLIERS = 25
TOLERANCE = 3.0  # px at FEATURE_SIDE that a matched feature may be off
NEEDS_EXTRA = "Aligning pages needs the extra: pip install 'inkdigit[forms]'."
UNALIKE = "The page does not look like the reference page."


class Reference:
    """A page that others are aligned to. Read-only after `__init__`, so threads may share it."""

    def __init__(self, pixels: Pixels) -> None:
        """Find the features of a page, uint8 [H, W]. Raises InputError where OpenCV is missing or there are too few."""
        if importlib.util.find_spec("cv2") is None:
            raise InputError(NEEDS_EXTRA, "unsupported_format")
        self.shape = pixels.shape
        self._scale, self._points, self._descriptors = _features(pixels)
        if len(self._points) < MIN_INLIERS:
            raise InputError("The reference page has too little print on it to align pages to it.", "bad_array")

    def align(self, pixels: Pixels) -> Pixels:
        """Return a page as seen where the reference lies, at the page's own resolution. Raises InputError."""
        import cv2  # noqa: PLC0415  an extra

        scale, points, descriptors = _features(pixels)
        matrix = _homography(points, descriptors, self._points, self._descriptors)
        height, width = self.shape
        longest = min(READ_SIDE, max(*pixels.shape, height, width))
        size = round(width * longest / max(height, width)), round(height * longest / max(height, width))
        grow = size[0] / (width * self._scale)
        whole = np.diag([grow, grow, 1.0]) @ matrix @ np.diag([scale, scale, 1.0])
        return np.asarray(
            cv2.warpPerspective(pixels, whole, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )


def _features(pixels: Pixels) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
    """Return the scale at which features were found, their places [N, 2] and their descriptors [N, 128]."""
    import cv2  # noqa: PLC0415  an extra

    cv2.setNumThreads(1)  # pages are read on all cores
    scale = min(1.0, FEATURE_SIDE / max(pixels.shape))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found, descriptors = cv2.SIFT.create(nfeatures=FEATURES).detectAndCompute(small, None)
    points = np.array([each.pt for each in found], np.float32).reshape(-1, 2)
    return scale, points, np.zeros((0, 128), np.float32) if descriptors is None else np.asarray(descriptors, np.float32)


def _homography(
    points: NDArray[np.float32],
    descriptors: NDArray[np.float32],
    reference: NDArray[np.float32],
    wanted: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Return the matrix [3, 3] from a page's places to the reference's. Raises InputError where the pages differ."""
    import cv2  # noqa: PLC0415  an extra

    if len(points) < MIN_INLIERS:
        raise InputError(UNALIKE, "bad_array")
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(descriptors, wanted, k=2)
    good = [first for first, second in pairs if first.distance < RATIO * second.distance]
    if len(good) < MIN_INLIERS:
        raise InputError(UNALIKE, "bad_array")
    source = points[[match.queryIdx for match in good]]
    target = reference[[match.trainIdx for match in good]]
    matrix, inliers = cv2.findHomography(source, target, cv2.USAC_MAGSAC, TOLERANCE)
    if matrix is None or int(np.sum(inliers)) < MIN_INLIERS or np.linalg.det(matrix[:2, :2]) <= 0:
        raise InputError(UNALIKE, "bad_array")
    return np.asarray(matrix, np.float64)


def cut(pixels: Pixels, box: Sequence[float], margin: float) -> tuple[Pixels, tuple[int, int]]:
    """Return the part of a page in a box (left, top, right, bottom in px) and `margin` px around, and its place."""
    left, top, right, bottom = box
    x, y = max(0, int(left - margin)), max(0, int(top - margin))
    part = pixels[y : int(bottom + margin) + 1, x : int(right + margin) + 1]
    if not part.size:
        raise InputError("A field lies outside of the page.", "bad_array")
    return np.ascontiguousarray(part), (x, y)
