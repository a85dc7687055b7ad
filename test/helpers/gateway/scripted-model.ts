import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the model says next: a tool call, or its last words. */
export type ModelStep =
  | { readonly tool: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly text: string };

/** What the model saw and was offered during one script. */
export interface ModelRecord {
  /** Text of each tool result, in the order of the calls. */
  readonly toolResults: readonly string[];
  /** Names of the tools that were offered with the last request. */
  readonly tools: readonly string[];
  readonly requests: number;
}

/**
 * A model that plays scripts, as an OpenAI-compatible server of this process. The last user message
 * that holds a script's key says which one; the number of tool results after it says which step.
 */
export interface ScriptedModel {
  readonly baseUrl: string;
  /** Returns the words that start the script when a user says them. */
  script(steps: readonly ModelStep[]): string;
  /** Of the script that these words start. */
  recordOf(words: string): ModelRecord;
  close(): Promise<void>;
}

interface Message {
  readonly role: string;
  readonly content?: string | readonly { readonly text?: string }[] | null;
}

interface ChatRequest {
  readonly messages?: readonly Message[];
  readonly tools?: readonly { readonly function?: { readonly name?: string } }[];
  readonly stream?: boolean;
}

const KEY = /play-script-([0-9a-f-]{36})/g;

export async function startScriptedModel(): Promise<ScriptedModel> {
  const scripts = new Map<string, readonly ModelStep[]>();
  const records = new Map<string, ModelRecord>();

  const play = (request: ChatRequest): ModelStep => {
    const messages = request.messages ?? [];
    const start = messages.findLastIndex(({ role, content }) => role === "user" && keyIn(textOf(content)) !== null);
    const key = keyIn(textOf(messages[start]?.content));
    const steps = key === null ? undefined : scripts.get(key);
    if (key === null || steps === undefined) return { text: "no script" };
    const toolResults = messages
      .slice(start + 1)
      .flatMap(({ role, content }) => (role === "tool" ? [textOf(content)] : []));
    const tools = (request.tools ?? []).flatMap((tool) => tool.function?.name ?? []);
    records.set(key, { toolResults, tools, requests: (records.get(key)?.requests ?? 0) + 1 });
    return steps[toolResults.length] ?? { text: "the script is over" };
  };

  const server = createServer((request, response) => {
    void serve(request, response, play);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    script: (steps) => {
      const key = randomUUID();
      scripts.set(key, steps);
      return `play-script-${key}`;
    },
    recordOf: (words) => records.get(keyIn(words) ?? "") ?? { toolResults: [], tools: [], requests: 0 },
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  play: (body: ChatRequest) => ModelStep,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  if (request.method === "GET") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ object: "list", data: [{ id: "scripted", object: "model" }] }));
    return;
  }
  const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as ChatRequest;
  const step = play(body);
  const head = { id: `chat-${randomUUID()}`, created: 1, model: "scripted" };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  const call =
    "tool" in step
      ? {
          index: 0,
          id: `call_${randomUUID()}`,
          type: "function",
          function: { name: step.tool, arguments: JSON.stringify(step.args) },
        }
      : null;
  const reason = call === null ? "stop" : "tool_calls";
  const said = "text" in step ? step.text : null;
  if (body.stream !== true) {
    response.setHeader("content-type", "application/json");
    const message = { role: "assistant", content: said, ...(call === null ? {} : { tool_calls: [call] }) };
    const choices = [{ index: 0, finish_reason: reason, message }];
    response.end(JSON.stringify({ ...head, object: "chat.completion", choices, usage }));
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (choices: readonly unknown[], more: object = {}): void => {
    response.write(`data: ${JSON.stringify({ ...head, object: "chat.completion.chunk", choices, ...more })}\n\n`);
  };
  send([{ index: 0, delta: { role: "assistant", content: said ?? "" }, finish_reason: null }]);
  if (call !== null) send([{ index: 0, delta: { tool_calls: [call] }, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason: reason }]);
  send([], { usage });
  response.end("data: [DONE]\n\n");
}

function textOf(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ text = "" }) => text).join("");
}

/** The last script named in the text. */
function keyIn(text: string): string | null {
  return [...text.matchAll(KEY)].at(-1)?.[1] ?? null;
}
