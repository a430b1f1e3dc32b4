// The chat's API. A failed call is an ApiError whose `kind` says what to do next.

const BASE = "/widget/v1";

export class ApiError extends Error {
  // kind: "offline" (try again by itself), "limited" (after `retryAfter` seconds), "session" (open a new one), "refused" (final).
  constructor(kind, message, { status = 0, retryAfter = 0 } = {}) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export class Api {
  constructor(language) {
    this.language = language;
    this.token = null;
  }

  get(path, query = {}, options = {}) {
    const asked = new URLSearchParams(query).toString();
    return this.#call("GET", asked ? `${path}?${asked}` : path, options);
  }

  post(path, data, options = {}) {
    return this.#call("POST", path, { ...options, body: JSON.stringify(data), type: "application/json" });
  }

  async #call(method, path, { body, type, signal, seconds = 15 } = {}) {
    const headers = { "Accept-Language": this.language };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (type) headers["Content-Type"] = type;
    const limit = AbortSignal.timeout ? AbortSignal.timeout(seconds * 1000) : undefined;
    const both = signal && limit && AbortSignal.any ? AbortSignal.any([signal, limit]) : signal ?? limit;
    let response;
    try {
      response = await fetch(BASE + path, { method, headers, body, signal: both, credentials: "omit", cache: "no-store" });
    } catch (error) {
      throw new ApiError(signal?.aborted ? "stopped" : "offline", String(error));
    }
    return answer(response.status, await response.text(), response.headers.get("Retry-After"));
  }

  // With progress, which fetch cannot tell.
  upload(file, progress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", `${BASE}/uploads`);
      request.setRequestHeader("Authorization", `Bearer ${this.token}`);
      request.setRequestHeader("Accept-Language", this.language);
      request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
      request.onerror = request.ontimeout = () => reject(new ApiError("offline", "network"));
      request.onload = () => {
        try {
          resolve(answer(request.status, request.responseText, request.getResponseHeader("Retry-After")));
        } catch (error) {
          reject(error);
        }
      };
      const form = new FormData();
      form.append("file", file, file.name || "file");
      request.send(form);
    });
  }
}

function answer(status, text, retryAfter) {
  const data = parse(text);
  if (status >= 200 && status < 300) return data;
  const kind = status === 401 ? "session" : status === 429 ? "limited" : status >= 500 ? "offline" : "refused";
  throw new ApiError(kind, data?.message ?? "", { status, retryAfter: Number(retryAfter) || 0 });
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}
