"""Components that listen to another one's output while they learn, as a tagger does to a shared `tok2vec`."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from thinc.api import Model

from ferrule.errors import ComponentNotFoundError, ConfigError
from ferrule.language.config import setting
from ferrule.language.state import PipelineState

__all__ = ["Listening"]


class Listening(PipelineState):
    """The part of `Language` that connects listeners, and replaces them by copies of what they listen to."""

    def _link_components(self) -> None:
        """Let every component that can be listened to find the listeners of the components after it."""
        pipeline = self.pipeline
        for position, (_, upstream) in enumerate(pipeline):
            if _is_listened_to(upstream):
                upstream.listener_map = {}
                for _, downstream in pipeline[position + 1 :]:
                    upstream.find_listeners(downstream)

    def replace_listeners(self, tok2vec_name: str, pipe_name: str, listeners: Iterable[str]) -> None:
        """Give `pipe_name` its own copy of the model of `tok2vec_name`, in place of its listeners to that.

        `listeners` are their places in the component's config, such as `["model.tok2vec"]`; with none,
        nothing happens. Afterwards each can be trained or frozen without the other.

        Raises ComponentNotFoundError for names not in the pipeline; ConfigError if `tok2vec_name` cannot be
        listened to, a place is not in the config, or their number is not that of the listeners.
        """
        for name in (tok2vec_name, pipe_name):
            if name not in self.pipe_names:
                raise ComponentNotFoundError(
                    f"replace_listeners: {name!r} is no enabled component; those are: "
                    f"{', '.join(self.pipe_names) or 'none'}"
                )
        places = list(listeners)
        tok2vec, pipe = self.get_pipe(tok2vec_name), self.get_pipe(pipe_name)
        if not _is_listened_to(tok2vec):
            raise ConfigError(
                f"replace_listeners: {tok2vec_name!r} ({type(tok2vec).__name__}) is nothing to listen to; "
                "expected "
                f"a component such as tok2vec"
            )
        if not places:
            return
        found = list(tok2vec.listener_map.get(pipe_name, []))
        if len(found) != len(places):
            raise ConfigError(
                f"replace_listeners: {pipe_name!r} has {len(found)} listeners to {tok2vec_name!r}, but "
                f"{len(places)} places were given: {places}"
            )
        self._pipe_configs[pipe_name] = self._without_listeners(tok2vec_name, pipe_name, places)
        for listener in found:
            replacement = _copied(tok2vec.model)
            replace = tok2vec.model.attrs.get("replace_listener")
            if replace is not None:
                arguments = (replacement, listener, tok2vec)
                replacement = replace(*arguments[: len(inspect.signature(replace).parameters)])
            pipe.model.replace_node(listener, replacement)
            tok2vec.remove_listener(listener, pipe_name)

    def _without_listeners(self, tok2vec_name: str, pipe_name: str, places: list[str]) -> Any:
        """The config of `pipe_name` with the model of `tok2vec_name` in each of `places`."""
        config = self._pipe_configs[pipe_name].copy()
        tok2vec_config = self._pipe_configs[tok2vec_name]["model"]
        replace = self.get_pipe(tok2vec_name).model.attrs.get("replace_listener_cfg")
        for place in places:
            listener_config = setting(config, place)
            new = replace(tok2vec_config, listener_config) if replace is not None else tok2vec_config
            section, _, key = place.rpartition(".")
            (setting(config, section) if section else config)[key] = deepcopy(new)
        return config


def _is_listened_to(pipe: Any) -> bool:
    return all(hasattr(pipe, each) for each in ("model", "listener_map", "find_listeners", "remove_listener"))


def _copied(model: Model[Any, Any]) -> Model[Any, Any]:
    """A copy of `model` with its references, which thinc's own copy leaves out."""
    copy = model.copy()
    nodes, copies = list(model.walk()), list(copy.walk())
    index = {id(node): position for position, node in enumerate(nodes)}
    for node, copied in zip(nodes, copies, strict=True):
        for name in node.ref_names:
            target = node.maybe_get_ref(name)
            copied.set_ref(name, None if target is None else copies[index[id(target)]])
    return copy
