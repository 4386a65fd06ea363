"""The colours of outcomes and owners, as theme variables so that every theme stays readable."""

from simulator.classroom.tui.present.step import Tone

TONE_STYLES: dict[Tone, str] = {
    Tone.LAUNCH: "$text-muted",
    Tone.OK: "$text-success",
    Tone.REFUSED: "$text-accent",
    Tone.LEAK: "bold $text-error",
    Tone.GRANTED: "$text-warning",
    Tone.ASLEEP: "$text-secondary",
    Tone.ENDED: "$text-secondary",
    Tone.SKIPPED: "$text-disabled",
    Tone.UNKNOWN: "$text-disabled",
    Tone.HIDDEN: "$text-disabled",
}

DOMAIN_STYLES: dict[str, str] = {
    "kernel": "$text-muted",
    "host": "$text-warning",
    "guest": "$text-primary",
    "neighbour": "$text-secondary",
    "runtime": "$text-muted",
}


def domain_style(domain: str) -> str:
    """The style of an object of ``domain``; an unknown sandbox looks like the guest."""
    return DOMAIN_STYLES.get(domain, DOMAIN_STYLES["guest"])
