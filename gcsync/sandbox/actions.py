"""Data actions as the public API holds them: an integer version, templates behind URIs, drafts.

What the platform does is told by its SDK's models and by the Terraform
provider's source (GENESYS.md, section 1); where neither tells, the sandbox is
as strict as either could be: a configuration that is written replaces the
former one whole, so whoever leaves a template out has lost it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from gcsync.sandbox.action_input import action_input, contract_input, wanted_version
from gcsync.sandbox.action_view import ACTIONS_PATH, answer, faults, shown
from gcsync.sandbox.paging import page
from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.sandbox.stored_action import StoredAction
    from gcsync.sandbox.wire import Request

MOST_PER_PAGE: Final = 100
MOST_IDS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEdit:
    """One accepted change of a published data action, by an OAuth client's id or a person."""

    action: str
    version: int
    author: str
    before: StoredAction
    after: StoredAction
    at: float


class Actions:
    """All data actions of an organisation with their drafts.

    *mismatch_status* is how a version that is not current is refused: the
    platform answers 409 or 400, and nobody has found out when it does which.
    *changes* counts what was changed, drafts included. Whether publishing a
    draft *compares_published* versions, nobody has told; it does not here,
    unless it is set, so that a client that relies on it is found out.
    """

    def __init__(self, actions: Iterable[StoredAction] = ()) -> None:
        self._history: dict[str, list[StoredAction]] = {each.id: [each] for each in actions}
        self._drafts: dict[str, StoredAction] = {}
        self._begun_at: dict[str, int] = {}
        self.compares_published = False
        self.changes = 0
        self.log: list[ActionEdit] = []
        self.mismatch_status: Literal[400, 409] = 409

    def __iter__(self) -> Iterator[StoredAction]:
        """Every published data action as it stands."""
        return (versions[-1] for versions in self._history.values())

    def recall(self, actions: Iterable[StoredAction], drafts: Iterable[StoredAction]) -> None:
        """Take these for the present ones, as an earlier process left them."""
        self._history |= {each.id: [each] for each in actions}
        self._drafts |= {each.id: each for each in drafts}

    @property
    def drafts(self) -> tuple[StoredAction, ...]:
        """Every draft as it stands."""
        return tuple(self._drafts.values())

    def published(self, action_id: str, *, versions_ago: int = 0) -> StoredAction:
        """The data action of that id, or what it was; refuses an unknown one with 404."""
        versions = self._history.get(action_id)
        if versions is None:
            raise Refusal(404, "not.found", f"The action could not be found: {action_id}")
        return versions[max(0, len(versions) - 1 - versions_ago)]

    def draft(self, action_id: str) -> StoredAction:
        """The draft of a data action; refuses one that has none with 404."""
        self.published(action_id)
        if action_id not in self._drafts:
            raise Refusal(404, "not.found", f"The action has no draft: {action_id}")
        return self._drafts[action_id]

    def list(self, query: Mapping[str, str], *, versions_ago: int = 0) -> Response:
        """One page of the published data actions, with their configuration if asked for."""
        known = (self.published(each.id, versions_ago=versions_ago) for each in self)
        chosen = [each for each in known if _is_chosen(each, query)]
        if query.get("sortBy") == "name":
            is_reversed = query.get("sortOrder", "asc").lower() == "desc"
            chosen.sort(key=lambda each: (each.name.casefold(), each.id), reverse=is_reversed)
        has_config = query.get("includeConfig", "false").lower() == "true"
        kept = ("category", "name", "secure", "ids", "sortBy", "sortOrder", "includeConfig")
        listing = page(
            chosen,
            path=ACTIONS_PATH,
            query=query,
            kept=kept,
            most=MOST_PER_PAGE,
            entity=lambda each: shown(each, has_config=has_config),
        )
        return json_response(200, listing)

    def list_drafts(self, query: Mapping[str, str]) -> Response:
        """One page of the drafts."""
        listing = page(
            [each for each in self._drafts.values() if _is_chosen(each, query)],
            path=f"{ACTIONS_PATH}/drafts",
            query=query,
            kept=("category", "name", "secure", "ids"),
            most=MOST_PER_PAGE,
            entity=lambda each: shown(each, has_config=False, place="/draft"),
        )
        return json_response(200, listing)

    def get(self, action_id: str, query: Mapping[str, str], *, versions_ago: int = 0) -> Response:
        """The published data action."""
        return answer(self.published(action_id, versions_ago=versions_ago), query)

    def get_draft(self, action_id: str, query: Mapping[str, str]) -> Response:
        """The draft of a data action."""
        return answer(self.draft(action_id), query, place="/draft")

    def patch(self, action_id: str, request: Request, *, author: str, now: float) -> Response:
        """Change the published data action if the body names its version."""
        current = self.published(action_id)
        _check_writable(current)
        body = request.json_object()
        self._check_version(wanted_version(body), current, draft=False)
        if "contract" in body:
            raise Refusal(400, "bad.request", "The contract of a published action cannot change")
        changed = replace(current, **action_input(body, current.kind))
        return answer(self.publish(changed, author=author, now=now), request.query)

    def begin_draft(self, action_id: str, request: Request) -> Response:
        """Make a draft out of the published data action."""
        current = self.published(action_id)
        _check_writable(current)
        if action_id in self._drafts:
            raise Refusal(409, "conflict", f"The action has a draft already: {action_id}")
        self._begun_at[action_id] = current.version
        self._keep_draft(current)
        return answer(current, request.query, place="/draft")

    def patch_draft(self, action_id: str, request: Request) -> Response:
        """Change a draft if the body names its version."""
        draft = self.draft(action_id)
        body = request.json_object()
        self._check_version(wanted_version(body), draft, draft=True)
        changed = replace(
            draft,
            **action_input(body, draft.kind),
            **contract_input(body, draft.contract),
            version=draft.version + 1,
        )
        self._keep_draft(changed)
        return answer(changed, request.query, place="/draft")

    def publish_draft(
        self, action_id: str, request: Request, *, author: str, now: float
    ) -> Response:
        """Make a draft the published data action; it ends as a draft thereby."""
        draft = self.draft(action_id)
        self._check_version(wanted_version(request.json_object()), draft, draft=True)
        current = self.published(action_id)
        if self.compares_published:
            begun_at = self._begun_at.get(action_id, current.version)
            self._check_version(begun_at, current, draft=True)
        if draft.contract != current.contract:
            raise Refusal(400, "bad.request", "The contract of a published action cannot change")
        problems = faults(draft)
        if problems:
            raise Refusal(400, "invalid.draft", f"The draft is not valid: {problems[0]}")
        del self._drafts[action_id]
        return answer(self.publish(draft, author=author, now=now), request.query)

    def delete_draft(self, action_id: str) -> Response:
        """Throw a draft away."""
        self.draft(action_id)
        del self._drafts[action_id]
        self.changes += 1
        return Response(status=204)

    def validate_draft(self, action_id: str) -> Response:
        """What keeps a draft from being published."""
        problems = faults(self.draft(action_id))
        errors = [
            {"message": problem, "code": "invalid.draft", "status": 400} for problem in problems
        ]
        return json_response(200, {"valid": not problems, "errors": errors})

    def publish(self, action: StoredAction, *, author: str, now: float = 0.0) -> StoredAction:
        """Save *action* as the next version of the published one, whoever asks."""
        before = self.published(action.id)
        after = replace(action, version=before.version + 1)
        self._history[action.id].append(after)
        edit = ActionEdit(
            action=action.id,
            version=after.version,
            author=author,
            before=before,
            after=after,
            at=now,
        )
        self.log.append(edit)
        self.changes += 1
        return after

    def _keep_draft(self, draft: StoredAction) -> None:
        self._drafts[draft.id] = draft
        self.changes += 1

    def _check_version(self, version: int, current: StoredAction, *, draft: bool) -> None:
        if version == current.version:
            return
        # A draft's mismatch is 400 in every report of it; an action's is either.
        status = 400 if draft else self.mismatch_status
        raise Refusal(
            status,
            "version.mismatch" if status == 409 else "bad.request",
            f"The version {version} does not match the current version {current.version}"
            f" of action {current.id}",
        )


def _is_chosen(action: StoredAction, query: Mapping[str, str]) -> bool:
    ids = [text for text in query.get("ids", "").split(",") if text]
    if len(ids) > MOST_IDS:
        raise Refusal(400, "bad.request", f"ids names {len(ids)} actions, more than {MOST_IDS}")
    secure = query.get("secure")
    return (
        (not ids or action.id in ids)
        and query.get("category", action.category) == action.category
        and query.get("name", "").casefold() in action.name.casefold()
        and (secure is None or (secure.lower() == "true") == action.secure)
        and (action.kind != "customAuth" or query.get("includeAuthActions", "").lower() == "true")
    )


def _check_writable(action: StoredAction) -> None:
    if action.kind == "static":
        raise Refusal(400, "bad.request", f"Static actions cannot be changed: {action.id}")
