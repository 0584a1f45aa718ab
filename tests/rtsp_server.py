"""A real RTSP server of GStreamer's, for Debian's python3.

    rtsp_server.py PORT [USER:PASSWORD digest|basic]

It serves a camera as H.264, H.265 and JPEG; those at ``/changing/...`` take another size every
other second, as cameras do that are reconfigured.
"""

from __future__ import annotations

import sys
from itertools import cycle
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

SIZES = ((320, 240), (480, 360))
CODECS = {
    "h264": "x264enc tune=zerolatency key-int-max=15 ! rtph264pay config-interval=-1",
    "h265": "x265enc tune=zerolatency key-int-max=15 ! rtph265pay config-interval=-1",
    "jpeg": "jpegenc ! rtpjpegpay",
}


def caps(size: tuple[int, int]) -> Any:
    width, height = size
    return Gst.Caps.from_string(
        f"video/x-raw,format=I420,width={width},height={height},framerate=25/1"
    )


def change_sizes(_: object, media: Any) -> None:
    """Of one client's pipeline."""
    scaled, sizes = media.get_element().get_by_name("scaled"), cycle(SIZES)

    def change() -> bool:
        scaled.set_property("caps", caps(next(sizes)))
        return True

    change()
    GLib.timeout_add(2000, change)


Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_service(sys.argv[1])
factories = []
for name, codec in CODECS.items():
    for is_changing in (False, True):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            "( videotestsrc is-live=true pattern=ball ! videoscale"
            f" ! capsfilter name=scaled caps={caps(SIZES[0]).to_string().replace(' ', '')}"
            f" ! videoconvert ! {codec} name=pay0 pt={26 if name == 'jpeg' else 96} )"
        )
        if is_changing:
            factory.connect("media-configure", change_sizes)
        path = f"/changing/{name}" if is_changing else f"/{name}"
        server.get_mount_points().add_factory(path, factory)
        factories.append(factory)
for path in ("/udp/h264", "/rare/h264"):
    factory = GstRtspServer.RTSPMediaFactory()
    codec = CODECS["h264"].replace("max=15", "max=300") if "rare" in path else CODECS["h264"]
    factory.set_launch(
        f"( videotestsrc is-live=true pattern=ball ! {caps(SIZES[0]).to_string().replace(' ', '')}"
        f" ! {codec} name=pay0 pt=96 )"
    )
    if "udp" in path:
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    else:
        factory.set_shared(True)
    server.get_mount_points().add_factory(path, factory)
    factories.append(factory)
if len(sys.argv) > 2:
    user, password = sys.argv[2].split(":")
    auth, token = GstRtspServer.RTSPAuth(), GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    if sys.argv[3] == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    for factory in factories:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role(
            "viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_ACCESS, True
        )
        permissions.add_permission_for_role(
            "viewer", GstRtspServer.RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, True
        )
        factory.set_permissions(permissions)
server.attach(None)
sys.stdout.write("ready\n")
sys.stdout.flush()
GLib.MainLoop().run()
