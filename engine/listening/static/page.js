// One listener's way through a study: welcome, headphones, trials, thanks.  Each click is saved before the next step.

const NAME = "cuebridge-listening";
const TONE_S = 0.9;
const GAP_S = 0.35;
const TONE_HZ = 200;
const WATCHED = 0.9; // of a film, before it can be rated
const QUIETER_DB = 6;
const began = performance.now();
const byId = (id) => document.getElementById(id);
let state = null;
let saving = Promise.resolve();

async function ask(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-cuebridge-listening": "1" },
    body: JSON.stringify(body),
  });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error ?? "The program did not answer.");
  return found;
}

function save(trial, question, value) {
  const click = { name: state.name, trial, question, value, at_ms: Math.round(performance.now() - began) };
  // In order, and again until the program has it: a click is never lost to a moment without connection.
  saving = saving.then(async () => {
    for (;;) {
      try {
        await ask("api/answer", click);
        byId("fault").textContent = "";
        return;
      } catch (error) {
        byId("fault").textContent = `Not saved yet: ${error.message}`;
        if (!(error instanceof TypeError)) return;
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  });
  return saving;
}

function show(name) {
  for (const each of ["welcome", "headphones", "trial", "thanks"]) byId(each).hidden = each !== name;
}

// Headphones (Woods, Siegel, Traer & McDermott 2017): one of three tones is quieter; another one has its channels in
// opposite phase, which cancels in the air between loudspeakers, but not in headphones, and is picked there instead.
let sound = null;
let check = { number: 0, right: 0, quiet: 0 };

function tones() {
  sound ??= new AudioContext();
  sound.resume();
  const order = [0, 1, 2].sort(() => Math.random() - 0.5);
  check.quiet = order.indexOf(1);
  order.forEach((kind, place) => {
    const length = Math.round(TONE_S * sound.sampleRate);
    const buffer = sound.createBuffer(2, length, sound.sampleRate);
    for (let channel = 0; channel < 2; channel += 1) {
      const samples = buffer.getChannelData(channel);
      const level = 0.2 * (kind === 1 ? 10 ** (-QUIETER_DB / 20) : 1) * (kind === 2 && channel === 1 ? -1 : 1);
      for (let k = 0; k < length; k += 1) {
        const edge = Math.min(1, k / (0.05 * sound.sampleRate), (length - k) / (0.05 * sound.sampleRate));
        samples[k] = level * edge * Math.sin((2 * Math.PI * TONE_HZ * k) / sound.sampleRate);
      }
    }
    const source = new AudioBufferSourceNode(sound, { buffer });
    source.connect(sound.destination);
    source.start(sound.currentTime + 0.1 + place * (TONE_S + GAP_S));
  });
  const buttons = [...byId("quietest").querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  byId("tones").disabled = true;
  setTimeout(() => buttons.forEach((button) => (button.disabled = false)), 1000 * 3 * (TONE_S + GAP_S));
}

function picked(tone) {
  check.right += tone === check.quiet ? 1 : 0;
  check.number += 1;
  for (const button of byId("quietest").querySelectorAll("button")) button.disabled = true;
  byId("tones").disabled = check.number >= state.headphone_trials; // until what was heard is saved
  headphoneProgress();
  if (check.number < state.headphone_trials) return;
  state.headphones = check.right;
  save("", "headphones", check.right).then(next);
}

function headphoneProgress() {
  byId("progress").textContent = `Headphones: ${check.number} of ${state.headphone_trials}`;
}

// Trials
const open = (trial) => Object.keys(state.questions).some((question) => !(question in (state.ratings[trial.id] ?? {})));

function next() {
  if (state.headphones === null) {
    headphoneProgress();
    show("headphones");
    return;
  }
  const index = state.trials.findIndex(open);
  if (index < 0) {
    if (!state.finished) save("", "finished", 1);
    state.finished = true;
    byId("progress").textContent = "";
    show("thanks");
    return;
  }
  const trial = state.trials[index];
  byId("progress").textContent = `Clip ${index + 1} of ${state.trials.length}`;
  const video = byId("clip");
  video.src = trial.clip;
  video.onended = () => {
    if (watched(video) >= WATCHED) unlock(trial);
    else byId("hint").textContent = "Please play all of the film, without skipping.";
  };
  byId("hint").textContent = "Play the film to its end, then rate it.";
  byId("questions").replaceChildren(...Object.entries(state.questions).map(([name, text]) => scale(trial, name, text)));
  byId("next").disabled = true;
  show("trial");
}

function watched(video) {
  let seconds = 0;
  for (let k = 0; k < video.played.length; k += 1) seconds += video.played.end(k) - video.played.start(k);
  return seconds / video.duration;
}

function unlock(trial) {
  const text = `This clip checks attention: please answer ${trial.demanded} to every question.`;
  byId("hint").textContent = trial.demanded ? text : "";
  for (const each of byId("questions").children) each.disabled = false;
  byId("next").disabled = open(trial);
}

function scale(trial, name, text) {
  const field = document.createElement("fieldset");
  field.disabled = true;
  field.append(Object.assign(document.createElement("legend"), { textContent: text }));
  const row = Object.assign(document.createElement("div"), { className: "scale" });
  row.append(Object.assign(document.createElement("span"), { textContent: "extremely poor" }));
  for (let value = state.lowest; value <= state.highest; value += 1) {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "radio", name, value });
    input.checked = state.ratings[trial.id]?.[name] === value;
    input.addEventListener("change", () => {
      (state.ratings[trial.id] ??= {})[name] = value;
      save(trial.id, name, value);
      byId("next").disabled = open(trial);
    });
    label.append(input, String(value));
    row.append(label);
  }
  row.append(Object.assign(document.createElement("span"), { textContent: "excellent" }));
  field.append(row);
  return field;
}

async function begin() {
  byId("begin").disabled = true;
  try {
    const name = localStorage.getItem(NAME);
    state = await ask("api/begin", name === null ? {} : { name }).catch(() => ask("api/begin", {}));
    localStorage.setItem(NAME, state.name);
    byId("title").textContent = state.title;
    document.title = state.title;
    next();
  } catch (error) {
    byId("fault").textContent = error.message;
    byId("begin").disabled = false;
  }
}

byId("begin").addEventListener("click", begin);
byId("tones").addEventListener("click", tones);
byId("quietest").addEventListener("click", (event) => {
  if (event.target.dataset.tone !== undefined) picked(Number(event.target.dataset.tone));
});
byId("next").addEventListener("click", () => saving.then(next));
