// Vercel's AI SDK answers a prompt with the help of a function: DIALECT MODEL PROMPT.

import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const [dialect, model, prompt] = process.argv.slice(2);
const baseURL = process.env.OPENAI_BASE_URL;
const apiKey = process.env.OPENAI_API_KEY;
const models = {
  chat: () =>
    createOpenAICompatible({ name: "airelays", baseURL, apiKey, includeUsage: true })(model),
  responses: () => createOpenAI({ baseURL, apiKey })(model),
};

const multiply = tool({
  description: "Multiply two numbers.",
  inputSchema: z.object({ a: z.number().int(), b: z.number().int() }),
  execute: async ({ a, b }) => `it is ${a * b}`,
});
const answer = streamText({
  model: models[dialect](),
  prompt,
  tools: { multiply },
  stopWhen: stepCountIs(3),
});
console.log(await answer.text);
