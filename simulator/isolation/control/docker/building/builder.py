"""A build from its first step to its tags: moby ``builder/dockerfile/builder.go``."""

from simulator.isolation.control.docker.api.errors import ApiError, BadRequest, NotFound
from simulator.isolation.control.docker.building import (
    arguments,
    copying,
    instructions,
    lex,
    running,
)
from simulator.isolation.control.docker.building.context import Context
from simulator.isolation.control.docker.building.dockerfile import (
    Dockerfile,
    Instruction,
    Stage,
    instruction,
    needs_buildkit,
    parse,
    wrong,
)
from simulator.isolation.control.docker.building.state import Build, Options, StageState
from simulator.isolation.control.docker.images import moving, platforms, reference
from simulator.isolation.control.docker.images.reference import Reference
from simulator.isolation.control.docker.images.store import Image
from simulator.isolation.control.docker.wire.exchange import Exchange, Gone


class Builder:
    """Carries out one request."""

    def __init__(self, x: Exchange, options: Options, sent: Context) -> None:
        self.sent = sent
        self.file: Dockerfile = parse(sent.dockerfile(options.dockerfile), options.dockerfile)
        self.build = Build(x, options, self.file.escape)
        self.stages = self.file.until(options.target)
        self.tags: list[Reference] = [_tag(text) for text in options.tags if text]
        self.results: dict[str, StageState] = {}
        self.step = 0
        self.labels = self._label_step()
        _check(self.stages, self.file.escape)

    def _label_step(self) -> list[Instruction]:
        """``--label`` is one more instruction of the last stage."""
        found = sorted(self.build.options.labels.items())
        if not found:
            return []
        text = " ".join(f"{key}='{value}'" for key, value in found)
        return [instruction(f"LABEL {text}")]

    @property
    def total(self) -> int:
        """How many steps there are."""
        steps = sum(1 + len(stage.steps) for stage in self.stages)
        return len(self.file.arguments) + steps + len(self.labels)

    async def run(self) -> Image:
        """The image that was built. Raises ``ApiError``."""
        build = self.build
        try:
            for one in self.file.arguments:
                await self._announce(one.original)
                self._meta(one)
            for number, stage in enumerate(self.stages):
                last = number == len(self.stages) - 1
                await self._stage(stage, str(number), self.labels if last else [])
        except (ApiError, Gone):
            if build.options.force_remove:
                await running.remove_all(build)
            raise
        if unused := build.arguments.unused():
            words = " ".join(unused)
            await build.say(f"[Warning] One or more build-args [{words}] were not consumed\n")
        image = build.stage.image
        if image is None:
            raise ApiError("No image was generated. Is your Dockerfile empty?")
        return image

    def _meta(self, one: Instruction) -> None:
        for word in lex.split(arguments.exactly_one(one), self.build.escape):
            name, equals, value = word.partition("=")
            known = self.build.arguments.meta_values()
            default = lex.expand(value, known, self.build.escape) if equals else None
            self.build.arguments.declare(name, default, meta=True)

    async def _announce(self, text: str) -> None:
        self.step += 1
        await self.build.say(f"Step {self.step}/{self.total} : {text}")
        await self.build.say("\n")

    async def _stage(self, stage: Stage, number: str, more: list[Instruction]) -> None:
        build = self.build
        if stage.name and stage.name in self.results:
            raise BadRequest(f"{stage.name} stage name already used")
        await self._announce(stage.original)
        state = build.stage = StageState()
        build.arguments.begin_stage()
        base = await self._base(stage)
        state.begin(base)
        await self._triggers()
        await build.say(f" ---> {state.id[7:19]}\n")
        for one in [*stage.steps, *more]:
            text = one.original if one not in more else _label_text(one)
            await self._announce(text)
            await self._dispatch(one)
            await build.say(f" ---> {state.id[7:19]}\n")
        if state.id and not build.options.quiet:
            await build.x.line({"aux": {"ID": state.id}})
        self.results[number] = state
        if stage.name:
            self.results[stage.name] = state

    async def _base(self, stage: Stage) -> Image | None:
        build = self.build
        values = build.arguments.meta_values()
        name = lex.expand(stage.base, values, build.escape)
        if not name:
            raise BadRequest(f"base name ({stage.base}) should not be blank")
        known = self.results.get(name.lower())
        if known is not None:
            return known.image
        if name == "scratch":
            return None
        platform = lex.expand(stage.platform, values, build.escape) or build.options.platform
        return await self._image(name, platform)

    async def _image(self, name: str, platform: str) -> Image:
        """An image by name, pulled when it is not there or ``--pull`` was said."""
        build = self.build
        if not build.options.pull:
            try:
                found = build.engine.images.find(name)
            except NotFound:
                found = None
            if found is not None and platforms.fits(found, platform):
                return found
        return await moving.fetch(
            build.x, reference.parse(name), platform=platform, quiet=build.options.quiet
        )

    async def _triggers(self) -> None:
        """ONBUILD of the base image, one after another."""
        build = self.build
        lines: list[str] = build.stage.config.pop("OnBuild", None) or []
        if not lines:
            return
        await build.say(f"# Executing {len(lines)} build trigger{'s' if len(lines) > 1 else ''}\n")
        for line in lines:
            await self._dispatch(instruction(line))

    async def _dispatch(self, one: Instruction) -> None:
        """One instruction. Raises ``Gone`` when nobody waits for the next."""
        build = self.build
        if build.cancelled:
            raise Gone
        if why := needs_buildkit(one):
            raise ApiError(why)
        if one.word == "RUN":
            image = await running.run(build, one)
        elif one.word in ("COPY", "ADD"):
            image = await copying.copy(build, self.sent, one, await self._source(one))
        else:
            image = await instructions.carry_out(build, one)
        build.stage.adopt(image)
        if build.options.remove or build.options.force_remove:
            await running.remove_all(build)
        else:
            build.containers.clear()

    async def _source(self, one: Instruction) -> Image | None:
        """``--from``: a stage by name or number, else an image."""
        name = one.flag("from")
        if name is None:
            return None
        known = self.results.get(name.lower())
        begun = f"invalid from flag value {name}: "
        if known is None and name.isdigit():
            current = int(name) == sum(key.isdigit() for key in self.results)
            why = "refers to current build block" if current else "index out of bounds"
            raise BadRequest(begun + why)
        if known is None:
            try:
                return await self._image(name, self.build.options.platform)
            except ApiError as error:
                raise ApiError(begun + error.message, error.status) from None
        if known.image is None:
            raise BadRequest(f"{begun}no image was made there")
        return known.image


def _label_text(one: Instruction) -> str:
    return one.original.replace("='", "=").replace("' ", " ").removesuffix("'")


def _tag(text: str) -> Reference:
    found = reference.parse(text)
    if found.digest:
        raise BadRequest("build tag cannot contain a digest")
    return found.tagged()


def _check(stages: tuple[Stage, ...], escape: str) -> None:
    """What can be told to be wrong before anything is done (buildkit ``instructions.Parse``)."""
    for stage in stages:
        for one in stage.steps:
            if not one.text:
                few = "exactly one argument"
                if one.word in ("ENV", "LABEL", "EXPOSE", "VOLUME", "ARG", "ONBUILD", "RUN"):
                    few = "at least one argument"
                if one.word in ("COPY", "ADD"):
                    few = "at least two arguments"
                if one.word not in ("CMD", "ENTRYPOINT"):
                    raise wrong(one.line, f"{one.word} requires {few}")
            instructions.check(one)
            if one.word in ("ENV", "LABEL"):
                arguments.pairs(one, escape)
            if one.word in ("COPY", "ADD") and len(arguments.places(one)) < 2:
                raise wrong(
                    one.line,
                    f"{one.word} requires at least two arguments, but only one was provided."
                    " Destination could not be determined.",
                )
