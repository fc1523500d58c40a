// Questions to the lab.
import * as link from "./link.js";

// ask talks to the lab. A problem is thrown as {code, error}.
export async function ask(path, body) {
  const headers = { "X-Lab-Token": link.stored("token") || "" };
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch("api/" + path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  } catch {
    throw { code: "gone", error: "" };
  }
  const value = await answer.json().catch(() => ({ code: "gone", error: "" }));
  if (!answer.ok) throw value;
  return value;
}
