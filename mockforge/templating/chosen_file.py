"""A body in the file that the request chooses: a `bodyFileName` that is a template."""

from __future__ import annotations

from itertools import islice

from mockforge.errors import StubFileError
from mockforge.model.sending import BodyFile
from mockforge.model.stub import Body
from mockforge.templating.body import BodyTemplate
from mockforge.templating.failure import TemplateFailure
from mockforge.templating.fields import CompileText
from mockforge.templating.request import TemplateRequest
from mockforge.templating.scope import FileContents

__all__ = ["ChosenFile", "compile_chosen_file"]

#: So many of the files that a name could mean are looked at when the stub is loaded, and stay compiled.
_MOST_COMPILED = 1_000


class ChosenFile:
    """From a request to its body; a file too large to be held is its `BodyFile`."""

    __slots__ = ("_compile_text", "_compiled", "_files", "_name")

    def __init__(self, name: BodyTemplate, files: FileContents, compile_text: CompileText) -> None:
        self._name = name
        self._files = files
        self._compile_text = compile_text
        self._compiled: dict[str, tuple[bytes, BodyTemplate | None]] = {}

    def __call__(self, request: TemplateRequest) -> bytes | BodyFile:
        """Raises TemplateFailure where no file is called so, or what is in it cannot be rendered."""
        try:
            name = self._name(request).decode()
        except TemplateFailure as failure:
            raise TemplateFailure(f"bodyFileName: {failure}") from failure
        try:
            content = self._files[name]
            if isinstance(content, BodyFile):
                return content
            template = self.template(name, content)
            return content if template is None else template(request)
        except KeyError:
            raise TemplateFailure(f"bodyFileName: there is no file {name!r} under __files/") from None
        except StubFileError as error:
            raise TemplateFailure(f"the file {name!r}: {error.what}") from None
        except TemplateFailure as failure:
            raise TemplateFailure(f"the file {name!r}: {failure}") from failure

    def template(self, name: str, content: bytes) -> BodyTemplate | None:
        """A file's template, None for one that is sent as it is; StubFileError where it does not parse."""
        known = self._compiled.get(name)
        if known is not None and known[0] is content:
            return known[1]
        if len(self._compiled) >= _MOST_COMPILED:
            self._compiled.clear()
        template = self._template_in(content)
        self._compiled[name] = content, template
        return template

    def _template_in(self, content: bytes) -> BodyTemplate | None:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        template = self._compile_text(Body("body", text))
        return None if template.literal is not None else template

    def check(self) -> None:
        """StubFileError where no file could be meant, or what could be does not parse."""
        found = list(islice((name for name in self._files if self._name.fits(name)), _MOST_COMPILED))
        if not found:
            raise StubFileError("no file under __files/ has a name that this template could give")
        for name in found:
            content = self._files[name]
            if isinstance(content, BodyFile):
                continue
            try:
                self.template(name, content)
            except StubFileError as error:
                raise StubFileError(f"the file {name!r}: {error.what}", hint=error.hint) from None


def compile_chosen_file(
    name: str, files: FileContents | None, compile_text: CompileText
) -> ChosenFile | None:
    """What a templated file name chooses; None for a name that is none.

    StubFileError where the name does not parse, no file could be meant, or one that could does not parse.
    """
    template = compile_text(Body("body", name))
    if template.literal is not None or files is None:
        return None
    chosen = ChosenFile(template, files, compile_text)
    chosen.check()
    return chosen
