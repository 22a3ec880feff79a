// LibreChat's engine answers a prompt with the help of a function, then names the conversation:
// MODEL PROMPT. The librechat.yaml and the .env of its server are in the working directory.
//
// What lies between them and the engine is done as its server does it: packages/api/src
// (endpoints/custom/initialize.ts, endpoints/openai/config.ts, endpoints/models.ts, agents/run.ts)
// and api/server (services/Config/loadCustomConfig.js, controllers/agents/client.js), seen
// 2026-11-26.

import { readFileSync } from "node:fs";
import { GraphEvents, Providers, Run } from "@librechat/agents";
import { HumanMessage } from "@librechat/agents/langchain/messages";
import { tool } from "@librechat/agents/langchain/tools";
import dotenv from "dotenv";
import yaml from "js-yaml";
import { configSchema, Constants, extractEnvVariable } from "librechat-data-provider";

const [model, prompt] = process.argv.slice(2);
const user = "66f2a1b0c4d5e6f708192a3b";
const sliders = { temperature: 0.7, topP: 0.9, frequencyPenalty: 0.1, presencePenalty: 0.1 };

dotenv.config({ quiet: true });
const written = yaml.load(readFileSync("librechat.yaml", "utf8"));
const [endpoint] = configSchema.strict().parse(written).endpoints.custom;
const apiKey = extractEnvVariable(endpoint.apiKey);
const baseURL = extractEnvVariable(endpoint.baseURL);
const client = { model, user, apiKey, configuration: { baseURL }, ...sliders };

async function assertListed() {
  const headers = { Authorization: `Bearer ${apiKey}` };
  const { data } = await (await fetch(`${baseURL}/models`, { headers })).json();
  if (!data.some(({ id }) => id === model)) throw new Error(`${model} is not listed`);
}

const multiply = tool(({ a, b }) => `it is ${a * b}`, {
  name: "multiply",
  description: "Multiply two numbers.",
  schema: {
    type: "object",
    properties: { a: { type: "integer" }, b: { type: "integer" } },
    required: ["a", "b"],
  },
});
let shown = "";
const run = await Run.create({
  runId: "answer",
  graphConfig: {
    type: "standard",
    agents: [
      {
        agentId: "agent",
        provider: Providers.OPENAI,
        clientOptions: { ...client, streaming: true, streamUsage: false, usage: true },
        tools: [multiply],
        instructions: "You are a helpful assistant.",
        reasoningKey: "reasoning_content",
        useLegacyContent: true,
      },
    ],
  },
  customHandlers: {
    [GraphEvents.ON_MESSAGE_DELTA]: {
      handle: (_, { delta }) => (shown += delta.content.map(({ text }) => text).join("")),
    },
  },
});

async function title() {
  const { titleModel, titleMethod } = endpoint;
  const named = titleModel === Constants.CURRENT_MODEL ? model : titleModel;
  const result = await run.generateTitle({
    provider: Providers.OPENAI,
    clientOptions: { ...client, model: named },
    inputText: "[[say Six times seven.]]",
    contentParts: [{ type: "text", text: shown }],
    titleMethod,
  });
  return result.title;
}

if (endpoint.models.fetch) await assertListed();
await run.processStream(
  { messages: [new HumanMessage(prompt)] },
  { configurable: { thread_id: "conversation", user_id: user }, version: "v2" },
);
console.log(shown);
if (endpoint.titleConvo) console.log(await title());
