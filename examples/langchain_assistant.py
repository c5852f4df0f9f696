# How do I record the assistants of a LangChain or LangGraph application, as NVIDIA's guide to data logging does?
import asyncio
from collections.abc import Sequence
from typing import Any

from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, tool
from langchain_openai import ChatOpenAI
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

import flywheel_log
from flywheel_log.langchain import create_langchain_callbacks


def get_llm(model: str = "gpt-4.1-mini", **settings: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, **settings)


class Assistant:
    def __init__(self, prompt: ChatPromptTemplate, tools: Sequence[BaseTool], workload_id: str) -> None:
        self.prompt = prompt
        self.tools = tools
        self.workload_id = workload_id

    async def __call__(self, state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        llm = get_llm(**config.get("configurable", {}).get("llm_settings", {}))
        runnable = self.prompt | llm.bind_tools(self.tools)
        # With ELASTICSEARCH_URL set the calls are in Elasticsearch too; without, genai.log is all they need.
        callbacks = await create_langchain_callbacks(workload_id=self.workload_id)
        return {"messages": await runnable.with_config(callbacks=callbacks).ainvoke(dict(state))}


@tool
def order_status(order: str) -> str:
    """Look up where an order is."""
    return f"{order}: on its way, there on Friday."


prompt = ChatPromptTemplate.from_messages([("system", "You answer for a shop."), ("placeholder", "{messages}")])
graph = StateGraph(MessagesState)
graph.add_node("assistant", Assistant(prompt, [order_status], workload_id="order-status"))
graph.add_node("tools", ToolNode([order_status]))
graph.set_entry_point("assistant")
graph.add_conditional_edges("assistant", tools_condition)
graph.add_edge("tools", "assistant")

question: Any = {"messages": [("user", "Where is order 4711?")]}
# The thread of a conversation is the session of its records.
thread: Any = {"configurable": {"thread_id": "conversation-1"}}
print(asyncio.run(graph.compile().ainvoke(question, thread))["messages"][-1].content)

flywheel_log.flush()
for event in flywheel_log.read():
    if event["workload_id"] == "order-status" and event["kind"] == "llm":
        answer = event["response"]["choices"][0]["message"]
        print(event["workload_id"], event.get("session_id"), answer.get("tool_calls") or answer["content"])
