// What a script sees, and the only way by which anything leaves it: JSON text taken by the child after each step.
(function (global) {
  "use strict";
  const { parse, stringify } = JSON;
  const { create, defineProperty, freeze } = Object;
  const text = String;
  const ExitSignal = create(null);
  const waiting = create(null);
  let input, limits, posts = [], logs = [], writes = [], exit = "", done = null;
  let open = 0, next = 1, calls = 0, operations = 0, logBytes = 0;

  function limit(name, message) {
    const error = new Error(message);
    error.limit = name;
    return error;
  }

  function json(value, what) {
    let made = stringify(value === undefined ? null : value);
    if (made === undefined) made = "null";
    if (made.length > limits.output_bytes) throw limit("output", what + " is larger than " + limits.output_bytes + " bytes");
    return made;
  }

  // The error is made at the call, so that its place is the author's line and not ours.
  function post(name, args, failure) {
    const body = json(args, name + "()");
    const id = next++;
    posts[posts.length] = [id, name, body];
    open++;
    return new Promise((resolve, reject) => { waiting[id] = { resolve, reject, failure }; });
  }

  function callApi(request) {
    if (++calls > limits.calls) throw limit("calls", "callApi() was called more than " + limits.calls + " times");
    const given = typeof request === "string" ? { url: request } : request;
    if (given === null || typeof given !== "object") throw new TypeError("callApi() takes an object with url, method, headers and body");
    return post("callApi", given, new Error());
  }

  function operate(table, verb, args) {
    if (++operations > limits.operations) throw limit("calls", "table() was used more than " + limits.operations + " times");
    return post("table", { table, verb, args }, new Error());
  }

  function table(name) {
    const key = text(name);
    return freeze({
      get: (id) => operate(key, "get", { id }),
      find: (filter, options) => operate(key, "find", { filter: filter || {}, options: options || {} }),
      insert: (values) => operate(key, "insert", { values: values || {} }),
      update: (id, values) => operate(key, "update", { id, values: values || {} }),
    });
  }

  function write(kind, data) {
    if (writes.length >= limits.operations) throw limit("calls", "more than " + limits.operations + " values and events were written");
    writes[writes.length] = { kind, data: parse(json(data, kind)) };
  }

  const remembered = create(null);
  const memory = freeze({
    get: (key) => {
      const name = text(key);
      if (name in remembered) return parse(remembered[name]);
      const value = input.memory[name];
      return value === undefined ? null : value;
    },
    set: (key, value) => {
      const name = text(key);
      write("memory", { key: name, value: value === undefined ? null : value });
      remembered[name] = json(value, "memory");
    },
  });

  function emit(name, data) {
    write("emit", { name: text(name), data: data === undefined ? {} : data });
  }

  function leave(name, values) {
    exit = text(name);
    ExitSignal.values = values === undefined ? null : values;
    throw ExitSignal;
  }

  function shown(value) {
    if (typeof value === "string") return value;
    if (value instanceof Error) return value.name + ": " + value.message;
    try {
      const made = stringify(value);
      return made === undefined ? text(value) : made;
    } catch (error) {
      return "[" + typeof value + "]";
    }
  }

  function log(...args) {
    if (logs.length >= limits.log_lines || logBytes >= limits.log_bytes) return;
    let line = "";
    for (let i = 0; i < args.length && line.length < limits.log_bytes; i++) line += (i ? " " : "") + shown(args[i]);
    line = line.slice(0, limits.log_bytes - logBytes);
    logBytes += line.length;
    logs[logs.length] = line;
  }

  function told(error) {
    const told = { name: "", message: "", stack: "", limit: "" };
    try {
      if (error !== null && typeof error === "object") {
        told.name = text(error.name || "").slice(0, 100);
        told.message = text(error.message === undefined ? shown(error) : error.message).slice(0, 2000);
        told.stack = text(error.stack || "").slice(0, 4000);
        told.limit = text(error.limit || "").slice(0, 20);
      } else {
        told.message = shown(error).slice(0, 2000);
      }
    } catch (again) {
      told.message = "the error cannot be read";
    }
    return told;
  }

  function end(value) {
    let made;
    try {
      made = json(value, "the result");
    } catch (error) {
      done = { error: told(error) };
      return;
    }
    done = { value: made };
  }

  const jail = {
    begin(data) {
      input = parse(data);
      limits = input.limits;
      for (const [name, value] of [["ctx", input.ctx], ["callApi", callApi], ["table", table], ["memory", memory], ["emit", emit],
        ["exit", leave], ["log", log]]) defineProperty(global, name, { value, writable: false, configurable: false });
      defineProperty(global, "console", { value: freeze({ log, info: log, warn: log, error: log, debug: log }), configurable: false });
    },
    async run(script) {
      try {
        end(await script());
      } catch (error) {
        if (error === ExitSignal) end(ExitSignal.values);
        else done = { error: told(error) };
      }
    },
    settle(data) {
      const reply = parse(data);
      const waits = waiting[reply.id];
      if (!waits) return;
      delete waiting[reply.id];
      open--;
      if (reply.error === undefined) {
        waits.resolve(reply.value);
      } else {
        waits.failure.message = reply.error;
        waits.reject(waits.failure);
      }
    },
    take() {
      const sent = posts;
      posts = [];
      if (done === null && open === 0) {
        done = { error: { name: "Error", message: "The script waits for a promise that never settles.", stack: "", limit: "" } };
      }
      return stringify(done === null ? { posts: sent, done } : { posts: sent, done, exit, logs, writes });
    },
  };
  defineProperty(global, "__jail", { value: freeze(jail), enumerable: false, configurable: false });
})(globalThis);
