// The library of an application on Vercel's AI SDK answers a prompt with the help of a function:
// APPLICATION FORM MODEL PROMPT. The form is what its settings hold, as JSON by label.
//
// What each makes of its form is done here as it does it, seen 2026-11-26: Chatbox in src/shared
// (models, providers, utils/llm_utils.ts), Jan in web-app/src (lib/model-factory.ts,
// services/providers/tauri.ts), Cherry Studio in src/main (ai/provider/config.ts, utils/http.ts).

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createExecutor } from "@cherrystudio/ai-core";
import { extractReasoningMiddleware, stepCountIs, streamText, tool, wrapLanguageModel } from "ai";
import { z } from "zod";

const [application, form, model, prompt] = process.argv.slice(2);
const bearer = (key) => ({ Authorization: `Bearer ${key}` });

// Fetches as a browser does for a page: only what the preflight and the answer permit.
const fetchAsPage = (origin) => async (url, { method = "GET", headers, ...init }) => {
  const names = [...new Headers(headers).keys()];
  const asked = { "Access-Control-Request-Method": method, "Access-Control-Request-Headers": names };
  const preflight = await fetch(url, { method: "OPTIONS", headers: { Origin: origin, ...asked } });
  const permitted = preflight.headers.get("access-control-allow-headers").toLowerCase().split(/, */);
  const answer = await fetch(url, { ...init, method, headers: { ...headers, Origin: origin } });
  const readable = ["*", origin].includes(answer.headers.get("access-control-allow-origin"));
  if (readable && names.every((name) => permitted.includes(name))) return answer;
  throw new TypeError(`CORS forbids it: ${names} of ${permitted}`);
};

// What an application asks for the list of models, and what it asks for an answer.
const applications = {
  chatbox({ "API Host": baseURL, "API Path": path, "API Key": apiKey }) {
    const get = fetchAsPage("https://web.chatboxai.app");
    const provider = createOpenAICompatible({
      name: "Custom OpenAI",
      apiKey,
      baseURL,
      fetch: (_, init) => get(`${baseURL}${path}`, init),
    });
    const asked = wrapLanguageModel({
      model: provider.languageModel(model),
      middleware: extractReasoningMiddleware({ tagName: "think" }),
    });
    return {
      list: () => get(`${baseURL}/models`, { headers: bearer(apiKey) }),
      stream: (turn) => streamText({ ...turn, model: asked, temperature: 0.7, topP: 0.9 }),
    };
  },

  jan({ "Base URL": baseURL, "API key": apiKey }) {
    const samplers = { temperature: 0.7, top_k: 20, top_p: 0.8, min_p: 0.05, repeat_penalty: 1.1 };
    const headers = { ...bearer(apiKey), Origin: "tauri://localhost" };
    const json = { "Content-Type": "application/json", "x-api-key": apiKey };
    const provider = createOpenAICompatible({
      name: "AIRelays",
      baseURL,
      headers,
      includeUsage: true,
      fetch: (url, init) =>
        fetch(url, { ...init, body: JSON.stringify({ ...JSON.parse(init.body), ...samplers }) }),
    });
    const asked = provider.languageModel(model);
    return {
      list: () => fetch(`${baseURL}/models`, { headers: { ...headers, ...json } }),
      stream: (turn) => streamText({ ...turn, model: asked, toolChoice: "auto" }),
    };
  },

  async "cherry-studio"({ "Provider Type": type, "API Host": host, "API Key": apiKey }) {
    const baseURL = `${host}/v1`;
    const headers = { "HTTP-Referer": "https://cherry-ai.com", "X-Title": "Cherry Studio" };
    const providers = {
      OpenAI: ["openai-compatible", { name: "airelays", headers, includeUsage: true }],
      "OpenAI-Response": ["openai", { headers: { ...headers, "X-Api-Key": apiKey } }],
    };
    const [provider, options] = providers[type];
    const executor = await createExecutor(provider, { baseURL, apiKey, ...options });
    return {
      list: () => fetch(`${baseURL}/models`, { headers: { ...headers, ...bearer(apiKey) } }),
      stream: (turn) => executor.streamText({ ...turn, model, maxRetries: 0 }),
    };
  },
};

const { list, stream } = await applications[application](JSON.parse(form));
const { data } = await (await list()).json();
if (!data.some(({ id }) => id === model)) throw new Error(`${model} is not listed`);

const multiply = tool({
  description: "Multiply two numbers.",
  inputSchema: z.object({ a: z.number().int(), b: z.number().int() }),
  execute: async ({ a, b }) => `it is ${a * b}`,
});
const answer = await stream({
  system: "You are a helpful assistant.",
  prompt,
  tools: { multiply },
  stopWhen: stepCountIs(20),
});
console.log(await answer.text);
