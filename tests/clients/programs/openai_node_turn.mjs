// OpenAI's SDK for Node answers a prompt with the help of a function: DIALECT MODEL PROMPT.

import OpenAI from "openai";
import { ResponsesWS } from "openai/resources/responses/ws";

const [dialect, model, prompt] = process.argv.slice(2);
const client = new OpenAI();
const parameters = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false,
};
const multiply = ({ a, b }) => `it is ${a * b}`;

const textOf = ({ output }) =>
  output.find((item) => item.type === "message").content.map((part) => part.text).join("");

// "ask" resolves to the response to a request.
async function inResponses(ask) {
  const tools = [{ type: "function", name: "multiply", parameters, strict: true }];
  const first = await ask({ model, tools, input: prompt });
  const input = first.output
    .filter((item) => item.type === "function_call")
    .map(({ call_id, arguments: given }) => ({
      type: "function_call_output",
      call_id,
      output: multiply(JSON.parse(given)),
    }));
  return textOf(await ask({ model, tools, input, previous_response_id: first.id }));
}

const turns = {
  chat() {
    const tool = { name: "multiply", parameters, parse: JSON.parse, function: multiply };
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [{ role: "user", content: prompt }],
      tools: [{ type: "function", function: tool }],
    });
    return runner.finalContent();
  },

  responses() {
    return inResponses((asked) => client.responses.stream(asked).finalResponse());
  },

  async websocket() {
    const socket = new ResponsesWS(client);
    const ask = (asked) =>
      new Promise((resolve, reject) => {
        socket.once("response.completed", (event) => resolve(event.response));
        socket.once("error", reject);
        socket.send({ type: "response.create", ...asked });
      });
    try {
      return await inResponses(ask);
    } finally {
      socket.close();
    }
  },
};

console.log(await turns[dialect]());
