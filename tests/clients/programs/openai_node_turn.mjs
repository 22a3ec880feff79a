// OpenAI's SDK for Node answers a prompt with the help of a function: DIALECT MODEL PROMPT.

import OpenAI from "openai";

const [dialect, model, prompt] = process.argv.slice(2);
const client = new OpenAI();
const parameters = {
  type: "object",
  properties: { a: { type: "integer" }, b: { type: "integer" } },
  required: ["a", "b"],
  additionalProperties: false,
};
const multiply = ({ a, b }) => `it is ${a * b}`;

const turns = {
  async chat() {
    const tool = { name: "multiply", parameters, parse: JSON.parse, function: multiply };
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: [{ role: "user", content: prompt }],
      tools: [{ type: "function", function: tool }],
    });
    return runner.finalContent();
  },

  async responses() {
    const tools = [{ type: "function", name: "multiply", parameters, strict: true }];
    const first = await client.responses.stream({ model, tools, input: prompt }).finalResponse();
    const input = first.output
      .filter((item) => item.type === "function_call")
      .map(({ call_id, arguments: given }) => ({
        type: "function_call_output",
        call_id,
        output: multiply(JSON.parse(given)),
      }));
    const asked = { model, tools, input, previous_response_id: first.id };
    return (await client.responses.stream(asked).finalResponse()).output_text;
  },
};

console.log(await turns[dialect]());
