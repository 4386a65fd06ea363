"""Sample configurations of vzctl: etc/conf/ve-*.conf-sample, each as limits of beancounters."""

from collections.abc import Mapping

from simulator.isolation.mechanisms.beancounters import UNLIMITED, Limits

_MIB = 256
"""Pages in a mebibyte."""


def vswap(ram: int, swap: int, own: Limits = ()) -> Limits:
    """fill_vswap_ub(): physpages and swappages, in pages, and what vzctl derives from them.

    ``own`` are limits that were given besides.
    """
    derived: dict[str, tuple[int, int]] = {
        "physpages": (0, ram),
        "swappages": (0, swap),
        "lockedpages": (ram, ram),
        "oomguarpages": (ram, UNLIMITED),
        "vmguarpages": (ram + swap, UNLIMITED),
    }
    return tuple({**derived, **dict(own)}.items())


BASIC: Limits = (
    ("kmemsize", (14_372_700, 14_790_164)),
    ("lockedpages", (2048, 2048)),
    ("privvmpages", (65_536, 69_632)),
    ("shmpages", (21_504, 21_504)),
    ("numproc", (240, 240)),
    ("physpages", (0, UNLIMITED)),
    ("vmguarpages", (33_792, UNLIMITED)),
    ("oomguarpages", (26_112, UNLIMITED)),
    ("numtcpsock", (360, 360)),
    ("numflock", (188, 206)),
    ("numpty", (16, 16)),
    ("numsiginfo", (256, 256)),
    ("tcpsndbuf", (1_720_320, 2_703_360)),
    ("tcprcvbuf", (1_720_320, 2_703_360)),
    ("othersockbuf", (1_126_080, 2_097_152)),
    ("dgramrcvbuf", (262_144, 262_144)),
    ("numothersock", (360, 360)),
    ("dcachesize", (3_409_920, 3_624_960)),
    ("numfile", (9312, 9312)),
    ("numiptent", (128, 128)),
)
"""ve-basic.conf-sample: every resource has its number."""

LIGHT: Limits = (
    ("kmemsize", (1_740_800, 1_847_296)),
    ("lockedpages", (4, 4)),
    ("privvmpages", (7680, 8448)),
    ("shmpages", (1152, 1152)),
    ("numproc", (40, 40)),
    ("physpages", (0, UNLIMITED)),
    ("vmguarpages", (1725, UNLIMITED)),
    ("oomguarpages", (1725, UNLIMITED)),
    ("numtcpsock", (40, 40)),
    ("numflock", (50, 60)),
    ("numpty", (4, 4)),
    ("numsiginfo", (256, 256)),
    ("tcpsndbuf", (159_744, 262_144)),
    ("tcprcvbuf", (159_744, 262_144)),
    ("othersockbuf", (135_168, 237_568)),
    ("dgramrcvbuf", (135_168, 196_608)),
    ("numothersock", (40, 40)),
    ("dcachesize", (196_608, 202_752)),
    ("numfile", (512, 512)),
    ("numiptent", (16, 16)),
)
"""ve-light.conf-sample."""

SAMPLES: Mapping[str, Limits] = {
    "basic": BASIC,
    "light": LIGHT,
    "vswap-256m": vswap(256 * _MIB, 512 * _MIB),
    "vswap-512m": vswap(512 * _MIB, 1024 * _MIB),
    "vswap-1g": vswap(1024 * _MIB, 2048 * _MIB),
    "vswap-2g": vswap(2048 * _MIB, 4096 * _MIB),
    "vswap-4g": vswap(4096 * _MIB, 8192 * _MIB),
}
"""By the name that ``vzctl create --config`` takes."""
