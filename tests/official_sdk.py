"""The official SDK as a client of a sandbox, and what of its answers the SDK does not know."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # other people's code, of which ours is no cause
    import PureCloudPlatformClientV2 as sdk  # noqa: N813  # too long a name for every line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.sandbox.app import SandboxServer

_COLLECTION = re.compile(r"(?:list\[|dict\(str, )(.+)[\])]")


@dataclass(slots=True, kw_only=True)
class Official:
    """A logged-in client; *answers* are the bodies it was given, oldest first."""

    client: Any
    answers: list[Any] = field(default_factory=list)

    @property
    def integrations(self) -> Any:
        return sdk.IntegrationsApi(self.client)

    @property
    def architect(self) -> Any:
        return sdk.ArchitectApi(self.client)

    def unknown(self, model: Any) -> list[str]:
        """What the last answer holds that *model*, made of it, has no field for."""
        return list(unknown(self.answers[-1], type(model).__name__))


def logged_in(server: SandboxServer) -> Official:
    """A client that has exchanged the sandbox's credentials for a token."""
    sdk.configuration.host = server.url
    client = sdk.api_client.ApiClient(host=server.url)
    official = Official(client=client)
    http = client.get_http_client()

    def heard(response: Any) -> Any:
        if response.data:
            official.answers.append(_parsed(response.data))
        return response

    http.set_post_request_hook(heard)
    client.get_client_credentials_token(server.client_id, server.client_secret)
    return official


def unknown(value: Any, kind: str, place: str = "") -> Iterator[str]:
    """Where *value* says something that the SDK's type *kind* cannot hold."""
    collection = _COLLECTION.fullmatch(kind)
    if collection:
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            yield from unknown(member, collection[1], f"{place}/{key}")
        return
    model = getattr(sdk, kind, None)
    if model is None or (not hasattr(model, "attribute_map") and not isinstance(value, dict)):
        return
    made = model()
    names = {there: here for here, there in made.attribute_map.items()}
    for key, member in value.items():
        if key not in names:
            yield f"{place}/{key}"
        elif member is not None:
            yield from unknown(member, made.swagger_types[names[key]], f"{place}/{key}")


def _parsed(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:  # a template is a text
        return data
