"""What a search asks beside words, as SQL: of one message after the other, or all that it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass

from concierge.accounts.models import Editor
from concierge.conversations.models import ConversationState
from concierge.conversations.search_terms import Search


@dataclass(frozen=True, slots=True)
class Filter:
    """One thing asked beside words.

    `value` asks it of the message `n.id` of the conversation `m.conversation_id`. It is a value, since either planner
    would turn a join round. `left` are the numbers it leaves, of conversations or, `of_messages`, of messages.
    """

    value: str
    left: str
    of_messages: bool = False

    @property
    def messages(self) -> str:
        """The numbers (`id`) of the messages it leaves; one may come twice."""
        if self.of_messages:
            return f"SELECT message_id AS id FROM ({self.left}) AS those"
        return f"SELECT id FROM message WHERE conversation_id IN ({self.left})"


FILES = Filter(
    "(SELECT 1 FROM attachment WHERE message_id = n.id AND NOT inline LIMIT 1) = 1",
    "SELECT message_id FROM attachment WHERE NOT inline",
    of_messages=True,
)


def list_filters(search: Search, editor: Editor) -> tuple[list[Filter], Mapping[str, object]]:
    """What is asked beside words, and the values of its places."""
    filters, values = [], dict[str, object](editor=editor.id)
    if asked := _asked_of_talk(search, values):
        value = f"(SELECT 1 FROM conversation WHERE id = m.conversation_id AND {asked}) = 1"
        filters.append(Filter(value, f"SELECT id FROM conversation WHERE {asked}"))
    for place, name in enumerate(search.tags):
        values[f"tag{place}"] = name
        tagged = (
            f"SELECT conversation_id FROM conversation_tag WHERE tag_id = (SELECT id FROM tag WHERE name = :tag{place})"
        )
        filters.append(Filter(f"({tagged} AND conversation_id = m.conversation_id) > 0", tagged))
    return [*filters, *([FILES] if search.with_attachment else [])], values


def _asked_of_talk(search: Search, values: dict[str, object]) -> str:
    states = {f"state{place}": state.value for place, state in enumerate(ConversationState)}
    wanted = {place: state for place, state in states.items() if state in search.states}
    values.update(wanted)
    asked = [f"state IN ({', '.join(f':{place}' for place in wanted)})"] if wanted else []
    asked += ["editor_id = :editor"] if "mine" in search.states else []
    asked += ["editor_id IS NULL"] if "unassigned" in search.states else []
    return " AND ".join(asked)
