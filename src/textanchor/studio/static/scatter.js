// Points on a canvas: moved by dragging, zoomed by wheel or two fingers, chosen by click, arrow keys or a lasso.

const NEAR = 14; // pixels from a point that still mean it
const SHAPES = ["circle", "square", "triangle", "diamond"];

/** The points' places are numbers from 0 to 1; `colour(i)` gives a colour, or null for a point that is hidden. */
export class Scatter extends EventTarget {
  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.x = []; this.y = [];
    this.colour = () => "#888"; this.shape = () => 0;
    this.scale = 1; this.left = 0; this.top = 0; // the view: place * scale + offset, in sides of the canvas
    this.chosen = new Set(); this.at = -1; this.lassoing = false;
    this.pointers = new Map(); this.path = [];
    new ResizeObserver(() => this.fit()).observe(canvas);
    for (const [name, act] of Object.entries({ pointerdown: "down", pointermove: "moved", pointerup: "up", pointercancel: "up", wheel: "wheeled", keydown: "typed" })) {
      canvas.addEventListener(name, (event) => this[act](event), { passive: false });
    }
  }

  show(x, y) {
    this.x = x; this.y = y;
    this.draw();
  }

  fit() {
    const dense = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.canvas.width = width * dense; this.canvas.height = height * dense;
    this.draw();
  }

  whole() {
    this.scale = 1; this.left = 0; this.top = 0;
    this.draw();
  }

  /** Where a point stands, in pixels of the page. */
  place(i) {
    const { clientWidth: width, clientHeight: height } = this.canvas, edge = 18;
    return [edge + (this.x[i] * this.scale + this.left) * (width - 2 * edge), edge + (this.y[i] * this.scale + this.top) * (height - 2 * edge)];
  }

  draw() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.paint(); });
  }

  paint() {
    const dense = window.devicePixelRatio || 1, pen = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas), ink = style.getPropertyValue("--ta-fg"), paper = style.getPropertyValue("--ta-bg");
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    const size = Math.max(2.2, Math.min(6, 130 / Math.sqrt(this.x.length || 1))) * Math.min(2, Math.sqrt(this.scale));
    pen.lineWidth = 0.7;
    for (let i = 0; i < this.x.length; i++) {
      const colour = this.colour(i);
      if (colour && this.x[i] >= 0) this.mark(pen, i, size, colour, paper);
    }
    pen.lineWidth = 2;
    for (const i of this.chosen) this.ring(pen, i, size + 2, ink);
    if (this.at >= 0) this.ring(pen, this.at, size + 4, ink);
    if (this.path.length > 1) this.rope(pen, ink);
  }

  mark(pen, i, size, colour, paper) {
    const [x, y] = this.place(i);
    pen.beginPath();
    const shape = SHAPES[this.shape(i) % SHAPES.length];
    if (shape === "circle") pen.arc(x, y, size, 0, 7);
    else if (shape === "square") pen.rect(x - size * 0.9, y - size * 0.9, size * 1.8, size * 1.8);
    else if (shape === "triangle") { pen.moveTo(x, y - size * 1.15); pen.lineTo(x + size * 1.1, y + size * 0.85); pen.lineTo(x - size * 1.1, y + size * 0.85); pen.closePath(); }
    else { pen.moveTo(x, y - size * 1.3); pen.lineTo(x + size * 1.15, y); pen.lineTo(x, y + size * 1.3); pen.lineTo(x - size * 1.15, y); pen.closePath(); }
    pen.fillStyle = colour; pen.strokeStyle = paper;
    pen.fill(); pen.stroke();
  }

  ring(pen, i, size, ink) {
    const [x, y] = this.place(i);
    pen.beginPath(); pen.arc(x, y, size, 0, 7);
    pen.strokeStyle = ink; pen.stroke();
  }

  rope(pen, ink) {
    pen.beginPath();
    this.path.forEach(([x, y], row) => (row ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.setLineDash([5, 4]); pen.strokeStyle = ink; pen.stroke(); pen.setLineDash([]);
    pen.globalAlpha = 0.08; pen.fillStyle = ink; pen.fill(); pen.globalAlpha = 1;
  }

  spot(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.spot(event));
    this.moves = 0;
    if (this.lassoing && this.pointers.size === 1) this.path = [this.spot(event)];
  }

  moved(event) {
    if (!this.pointers.has(event.pointerId)) return;
    event.preventDefault();
    const before = this.pointers.get(event.pointerId), now = this.spot(event);
    this.moves += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else if (this.lassoing) this.path.push(now);
    else { this.left += (now[0] - before[0]) / this.canvas.clientWidth; this.top += (now[1] - before[1]) / this.canvas.clientHeight; }
    this.pointers.set(event.pointerId, now);
    this.draw();
  }

  pinch(id, before, now) {
    const [, other] = [...this.pointers].find(([key]) => key !== id);
    const apart = (spot) => Math.hypot(spot[0] - other[0], spot[1] - other[1]) || 1;
    this.path = [];
    this.zoom(apart(now) / apart(before), other);
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const path = this.path;
    this.path = [];
    if (this.moves < 6 && event.type === "pointerup") this.pick(this.nearest(this.spot(event)));
    else if (path.length > 2) this.choose(this.inside(path), event.shiftKey);
    this.draw();
  }

  wheeled(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY / 400), this.spot(event));
  }

  zoom(factor, [x, y]) {
    const scale = Math.min(60, Math.max(0.8, this.scale * factor)), real = scale / this.scale;
    const across = x / this.canvas.clientWidth, down = y / this.canvas.clientHeight;
    this.left = across - (across - this.left) * real; this.top = down - (down - this.top) * real;
    this.scale = scale;
    this.draw();
  }

  nearest([x, y], most = NEAR) {
    let best = -1, least = most;
    for (let i = 0; i < this.x.length; i++) {
      if (this.x[i] < 0 || !this.colour(i)) continue;
      const [px, py] = this.place(i), apart = Math.hypot(px - x, py - y);
      if (apart < least) { best = i; least = apart; }
    }
    return best;
  }

  inside(path) {
    const found = [];
    for (let i = 0; i < this.x.length; i++) if (this.x[i] >= 0 && this.colour(i) && within(path, this.place(i))) found.push(i);
    return found;
  }

  pick(i) {
    if (i < 0) return;
    this.at = i;
    this.draw();
    this.dispatchEvent(new CustomEvent("pick", { detail: i }));
  }

  choose(found, add = false) {
    this.chosen = new Set(add ? [...this.chosen, ...found] : found);
    this.draw();
    this.dispatchEvent(new CustomEvent("choose", { detail: [...this.chosen] }));
  }

  /** Arrow keys go to the nearest point in their direction. */
  typed(event) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (ways[event.key]) this.pick(this.at < 0 ? this.nearest([width / 2, height / 2], Infinity) : this.towards(ways[event.key]));
    else if (event.key === "+" || event.key === "-") this.zoom(event.key === "+" ? 1.3 : 1 / 1.3, [width / 2, height / 2]);
    else if (event.key === "Escape") this.choose([]);
    else return;
    event.preventDefault();
  }

  towards([across, down]) {
    const [x, y] = this.place(this.at);
    let best = -1, least = Infinity;
    for (let i = 0; i < this.x.length; i++) {
      if (i === this.at || this.x[i] < 0 || !this.colour(i)) continue;
      const [px, py] = this.place(i), ahead = (px - x) * across + (py - y) * down, aside = Math.abs((px - x) * down) + Math.abs((py - y) * across);
      if (ahead > 1 && ahead + 2 * aside < least) { best = i; least = ahead + 2 * aside; }
    }
    return best;
  }
}

/** Whether a place lies within a closed path: a ray to the left crosses it an odd number of times. */
export function within(path, [x, y]) {
  let odd = false;
  for (let i = 0, j = path.length - 1; i < path.length; j = i++) {
    const [ax, ay] = path[i], [bx, by] = path[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  }
  return odd;
}
