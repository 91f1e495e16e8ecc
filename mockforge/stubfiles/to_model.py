"""From the written form to the model: defaults filled in, body files and variants loaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from mockforge.errors import StubFileError
from mockforge.forwarding.callbacks import compile_callback
from mockforge.forwarding.proxied import compile_forward
from mockforge.model.forwarding import CallbackDefinition
from mockforge.model.operation import is_parameter
from mockforge.model.service import AfterIdle, Capacity, ColdStart, RateRule, StallLaws, Timeout
from mockforge.model.stub import (
    BasicCredentials,
    Body,
    CustomMatcher,
    MethodSet,
    MultipartPattern,
    NamedPatterns,
    RequestPattern,
    ResponseDefinition,
    ScenarioStep,
    Stub,
    UrlPattern,
    Variants,
)
from mockforge.stubfiles.callback_form import (
    CALLBACK_BODY_KINDS,
    LISTENER_KEYS,
    ListenerForm,
    to_callback,
)
from mockforge.stubfiles.capacity_form import ANSWER_BODY_KINDS, AnswerForm, CapacityForm
from mockforge.stubfiles.folder import Bodies
from mockforge.stubfiles.form import (
    BODY_KINDS,
    URL_KINDS,
    MethodsForm,
    MultipartForm,
    RequestForm,
    ResponseForm,
    StubForm,
    VariantsForm,
)
from mockforge.stubfiles.forward_form import to_proxy
from mockforge.stubfiles.headers import ungrouped
from mockforge.stubfiles.parsed import Parsed
from mockforge.stubfiles.pattern_form import PatternForm, to_value
from mockforge.stubfiles.problems import Loc, Problem, RefusedError
from mockforge.stubfiles.sending_form import to_sending
from mockforge.stubfiles.variants import read_rows
from mockforge.templating.chosen_file import compile_chosen_file
from mockforge.templating.fields import CompileText
from mockforge.templating.jinja import is_template
from mockforge.templating.rendering import compiler_for

__all__ = ["Place", "derived_name", "to_capacity", "to_stub"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stub stands, and where to tell what is wrong with it. `loc` leads to it in its document."""

    file: str
    parsed: Parsed
    loc: Loc
    subject: str
    problems: list[Problem]

    def __str__(self) -> str:
        return f"{self.file}:{self.parsed.line(self.loc)}"

    def refuse(self, key: Loc, refused: RefusedError) -> None:
        """Note that the value at `key`, counted from the stub, is refused."""
        line = self.parsed.line((*self.loc, *key))
        self.problems.append(Problem(self.file, line, refused.what, refused.hint, self.subject, key))

    @contextlib.contextmanager
    def refusing(self, key: Loc) -> Iterator[None]:
        """Note as refused what the block finds that cannot be served."""
        try:
            yield
        except StubFileError as error:
            self.refuse(key, RefusedError(error.what, error.hint))


def to_stub(form: StubForm, name: str, place: Place, bodies: Bodies) -> Stub:
    """The stub that is written; what its files lack goes to the place's problems."""
    request = to_pattern(form.request or RequestForm())
    written: list[tuple[Loc, ResponseForm]]
    if form.responses is not None:
        written = [(("responses", number), response) for number, response in enumerate(form.responses)]
    else:
        written = [(("response",), form.response or ResponseForm())]
    making = _Responses(request, place, bodies)
    return Stub(
        name=name,
        request=request,
        responses=tuple(making.make(response, key) for key, response in written),
        priority=form.priority,
        id=form.id or form.uuid,
        metadata=form.metadata,
        pool=form.pool,
        scenario=_step(form),
        callbacks=tuple(_callbacks(form, place, bodies)),
        place=str(place),
    )


def _callbacks(form: StubForm, place: Place, bodies: Bodies) -> Iterator[CallbackDefinition]:
    for key, listeners in form.written(LISTENER_KEYS).items():
        for number, listener in enumerate(cast("list[ListenerForm]", listeners)):
            where = (key, number, "parameters")
            body = None
            for kind, value in listener.parameters.written(CALLBACK_BODY_KINDS).items():
                in_file = kind == "bodyFileName"
                body = _loaded(bodies, str(value), place, (*where, kind)) if in_file else Body(kind, value)
            callback = to_callback(listener.parameters, body)
            with place.refusing(where):
                compile_callback(callback)
            yield callback


def _loaded(bodies: Bodies, name: str, place: Place, key: Loc, *, held: bool = True) -> Body | None:
    """A body in a file; None, and a problem of its place, where it cannot be read."""
    try:
        return bodies.load(name, held=held)
    except RefusedError as refused:
        place.refuse(key, refused)
    except OSError as error:
        place.refuse(key, RefusedError(f"cannot be read: {error.strerror}"))
    return None


def _step(form: StubForm) -> ScenarioStep | None:
    if form.scenario_name is None:
        return None
    key = tuple(form.scenario_key)
    return ScenarioStep(form.scenario_name, form.required_scenario_state, form.new_scenario_state, key)


def derived_name(form: StubForm) -> str:
    """`METHOD url`, the name of a stub that has none; `*` for any URL."""
    request = to_pattern(form.request or RequestForm())
    return f"{request.method} {request.url.value if request.url else '*'}"


def to_capacity(form: CapacityForm) -> Capacity:
    """The capacity that is written."""
    default = Capacity()
    rate, stalls, timeout = form.rate_limit, form.stalls, form.timeout
    cold, idle = form.cold_start, form.after_idle
    return Capacity(
        servers=form.servers,
        discipline="ps" if form.shares() else "fifo",
        curve=tuple(form.curve or ()),
        most=form.most,
        pace_per_second=form.pace_per_second,
        queue_limit=form.queue_limit,
        when_full=_answer(form.when_full or AnswerForm(), default.when_full),
        abandoned=form.abandoned or default.abandoned,
        rate_limit=RateRule(rate.per_second, rate.burst, _answer(rate, RateRule(1).answer)) if rate else None,
        timeout=Timeout(timeout.after_milliseconds, _answer(timeout, Timeout(1).answer)) if timeout else None,
        cold_start=ColdStart(cold.factor, cold.requests) if cold else None,
        after_idle=AfterIdle(idle.idle_milliseconds, idle.factor, idle.requests) if idle else None,
        stalls=StallLaws(stalls.gap, stalls.duration) if stalls else None,
        recorded_up_to=form.recorded_up_to,
    )


def _answer(form: AnswerForm, default: ResponseDefinition) -> ResponseDefinition:
    body = next((Body(kind, value) for kind, value in form.written(ANSWER_BODY_KINDS).items()), None)
    return ResponseDefinition(
        status=default.status if form.status is None else form.status,
        headers=ungrouped(form.headers),
        body=body,
        fixed_delay_ms=form.fixed_delay_milliseconds,
    )


def to_pattern(form: RequestForm) -> RequestPattern:
    """The request pattern that is written."""
    url = next((UrlPattern(kind, str(value)) for kind, value in form.written(URL_KINDS).items()), None)
    credentials = form.basic_auth_credentials or form.basic_auth
    method, methods = _methods(form.method)
    custom = form.custom_matcher
    return RequestPattern(
        method=method,
        methods=methods,
        url=url,
        path=_values(form.path_parameters),
        query=_values(form.query_parameters),
        headers=_values(form.headers),
        cookies=_values(form.cookies),
        form=_values(form.form_parameters),
        body=tuple(to_value(pattern) for pattern in form.body_patterns),
        multipart=tuple(_part(part) for part in form.multipart_patterns),
        basic_auth=BasicCredentials(credentials.username, credentials.password) if credentials else None,
        scheme=form.scheme,
        host=to_value(form.host) if form.host else None,
        port=form.port,
        client_ip=to_value(form.client_ip) if form.client_ip else None,
        custom=CustomMatcher(custom.name, custom.parameters) if custom else None,
    )


def _methods(form: MethodsForm) -> tuple[str, MethodSet | None]:
    """A list of one method is that method."""
    if form.one_of is None:
        return "ANY", MethodSet(tuple(form.none_of or ()), excluded=True)
    if len(form.one_of) == 1:
        return form.one_of[0], None
    return "ANY", MethodSet(tuple(form.one_of))


def _part(form: MultipartForm) -> MultipartPattern:
    return MultipartPattern(
        matching_type=form.matching_type,
        name=form.name,
        file_name=form.file_name,
        headers=_values(form.headers),
        body=tuple(to_value(pattern) for pattern in form.body_patterns),
    )


def _values(forms: Mapping[str, PatternForm]) -> NamedPatterns:
    return tuple((name, to_value(form)) for name, form in forms.items())


@dataclass(frozen=True, slots=True)
class _Responses:
    """Makes the responses of one stub."""

    request: RequestPattern
    place: Place
    bodies: Bodies

    def make(self, form: ResponseForm, key: Loc) -> ResponseDefinition:
        proxy = to_proxy(form)
        if proxy is not None:
            with self.place.refusing((*key, "proxyBaseUrl")):
                compile_forward(proxy, (), templated=bool(form.transformers))
        response = ResponseDefinition(
            status=200 if form.status_template is not None else form.status,
            headers=ungrouped(form.headers),
            body=self._body(form, key),
            variants=self._variants(form.variants, (*key, "variants")) if form.variants else None,
            fixed_delay_ms=form.fixed_delay_milliseconds,
            delay=form.delay_distribution,
            share=form.share,
            transformers=tuple(form.transformers),
            proxy=proxy,
            sending=to_sending(form),
            status_template=form.status_template,
            files=self.bodies.contents() if form.transformers else None,
        )
        if response.transformers:
            self._check_templates(response, key)
        return response

    def _check_templates(self, response: ResponseDefinition, key: Loc) -> None:
        compile_text = compiler_for(response)
        if response.body is not None:
            with self.place.refusing((*key, response.body.kind)):
                _check_body(response, response.body, compile_text)
        for name, value in response.headers:
            with self.place.refusing((*key, "headers", name)):
                compile_text(Body("body", value))
        if response.status_template is not None:
            with self.place.refusing((*key, "status")):
                compile_text(Body("body", response.status_template))

    def _body(self, form: ResponseForm, key: Loc) -> Body | None:
        for kind, value in form.written(BODY_KINDS).items():
            if kind != "bodyFileName" or (form.transformers and is_template(str(value))):
                return Body(kind, value)
            held = bool(form.transformers) or form.variants is not None
            return _loaded(self.bodies, str(value), self.place, (*key, kind), held=held)
        return None

    def _variants(self, form: VariantsForm, key: Loc) -> Variants | None:
        by = tuple(form.by)
        self._check_choosers(by, key)
        try:
            file = self.bodies.find(form.file)
            before = len(self.place.problems)
            rows = read_rows(file, by, lambda *found: self._refuse_row(str(file), *found))
            if not rows and len(self.place.problems) == before:
                raise RefusedError(f"{file} has no rows", "one JSON object a line")
        except RefusedError as refused:
            self.place.refuse((*key, "file"), refused)
            return None
        except OSError as error:
            self.place.refuse((*key, "file"), RefusedError(f"cannot be read: {error.strerror}"))
            return None
        return Variants(form.file, by, rows)

    def _check_choosers(self, by: tuple[str, ...], key: Loc) -> None:
        url = self.request.url
        template = url.value if url is not None and url.kind == "urlPathTemplate" else ""
        known = [part[1:-1] for part in template.split("/") if is_parameter(part)]
        for number, name in enumerate(by):
            if name.startswith("path.") and name.removeprefix("path.") not in known:
                hint = "known: " + ", ".join(f"path.{each}" for each in known) if known else None
                what = f"{name} is no parameter of the request's urlPathTemplate"
                self.place.refuse((*key, "by", number), RefusedError(what, hint))

    def _refuse_row(self, file: str, line: int, key: Loc, refused: RefusedError) -> None:
        self.place.problems.append(Problem(file, line, refused.what, refused.hint, self.place.subject, key))


def _check_body(response: ResponseDefinition, body: Body, compile_text: CompileText) -> None:
    if body.is_chosen:
        compile_chosen_file(str(body.value), response.files, compile_text)
    else:
        compile_text(body)
