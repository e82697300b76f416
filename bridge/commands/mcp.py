"""`cuebridge mcp`: a running `live` for assistants, by the Model Context Protocol over standard input and output.

Each tool is a row of the controls table, done by the same OSC message that any controller sends: same ranges, same
refusals, same undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bridge.controls.tools import Tool, tools
from engine.music import UserError, controls
from engine.music.arguments import ControlError
from engine.music.command import SentenceParser, port_number
from engine.music.extras import need_extra

QUIET_S: Final = 0.05  # after the first answer: one address may answer with several messages
WAIT_S: Final = 5.0
INSTRUCTIONS: Final = (
    "CueBridge performs music for a film as MIDI, locked to the composer's DAW.  A composer is at work: read "
    "cue_status, cue_chords and cue_film before you change anything, change little, and say from which picture second "
    "a change is heard (the last number of an answer).  cue_undo takes the last change back.  "
    "Times are picture seconds."
)


def main(arguments: Sequence[str]) -> int:
    """Serves until its standard input ends.  Raises UserError where the extra is missing."""
    parser = SentenceParser(
        prog="cuebridge mcp",
        description="Serves the controls of a running `live` to an assistant, by the Model Context Protocol over "
        "standard input and output.  Enter `cuebridge mcp` as the command of a server in the assistant's settings.",
    )
    parser.add_argument("--host", default="127.0.0.1", metavar="HOST", help="where `live` runs (127.0.0.1)")
    parser.add_argument(
        "--port",
        type=port_number,
        default=controls.DEFAULT_PORT,
        metavar="PORT",
        help=f"its OSC port ({controls.DEFAULT_PORT})",
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="PATTERN",
        help=f"only these addresses, such as '{controls.CHORDS}/*' ; repeatable (default: all)",
    )
    options = parser.parse_args(arguments)
    offered = tools(options.only or ("*",))
    if not offered:
        raise UserError(f"no address fits {' or '.join(options.only)}; `cuebridge osc` lists them.")
    need_extra("mcp", "An assistant")
    import anyio

    anyio.run(_serve, options.host, options.port, offered)
    return 0


async def _serve(host: str, port: int, offered: Sequence[Tool]) -> None:
    import anyio.to_thread
    import mcp_types as types
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server

    by_name = {each.name: each for each in offered}
    one_at_a_time = anyio.Lock()  # answers are told apart by their order alone

    async def list_tools(_context: Any, _params: Any) -> types.ListToolsResult:
        return types.ListToolsResult(
            tools=[
                types.Tool(
                    name=each.name,
                    description=each.text,
                    input_schema=dict(each.schema),
                    annotations=types.ToolAnnotations(
                        title=each.control.address, read_only_hint=each.only_reads, open_world_hint=False
                    ),
                )
                for each in offered
            ]
        )

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = by_name.get(params.name)
        try:
            if tool is None:
                raise UserError(f"there is no tool {params.name}.")
            async with one_at_a_time:
                text = await anyio.to_thread.run_sync(ask, host, port, tool, params.arguments or {})
        except UserError as error:
            return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
        return types.CallToolResult(content=[types.TextContent(text=text)])

    from bridge.commands.version import version

    server: Any = Server(
        "cuebridge",
        version=version(),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def ask(host: str, port: int, tool: Tool, given: dict[str, Any]) -> str:
    """Sends the tool's message; its answers, one a line.  Raises UserError where it is refused or nobody answers."""
    from bridge.osc.client import Client

    address = tool.control.address
    try:
        values = tool.arguments(given)
    except ControlError as error:
        raise UserError(f"{address}: {error} ({error.code})") from None
    with Client(host, port) as client:
        client.send(address, values)
        answers = client.next(WAIT_S)
        if answers is None:
            raise UserError(f"nothing answers on {host} port {port}; is `cuebridge live` running?")
        answers = (*answers, *client.receive(QUIET_S))
    for answer in answers:
        if answer.refuses(address):
            raise UserError(f"{address}: {answer.arguments[-1]} ({answer.arguments[1]})")
    return "\n".join(answer.text for answer in answers)
