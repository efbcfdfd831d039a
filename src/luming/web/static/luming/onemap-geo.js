// Distances, bearings and areas on the ellipsoid of WGS-84, as luming.registry.geodesy computes them (T. Vincenty 1975),
// and how positions and lengths are written. Points are [longitude, latitude] in degrees, lengths metres.

const A = 6378137, F = 1 / 298.257223563, B = A * (1 - F), E2 = F * (2 - F);
const rad = (degrees) => (degrees * Math.PI) / 180;
const deg = (radians) => (radians * 180) / Math.PI;
const turn = (degrees) => ((degrees % 360) + 360) % 360;
const half = (degrees) => turn(degrees + 180) - 180;

function series(cos2alpha, sinSigma, cosSigma, cos2m) {
  const u2 = (cos2alpha * (A * A - B * B)) / (B * B);
  const a = 1 + (u2 / 16384) * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)));
  const b = (u2 / 1024) * (256 + u2 * (-128 + u2 * (74 - 47 * u2)));
  const inner = cosSigma * (2 * cos2m ** 2 - 1) - (b / 6) * cos2m * (4 * sinSigma ** 2 - 3) * (4 * cos2m ** 2 - 3);
  return [a, b * sinSigma * (cos2m + (b / 4) * inner)];
}

// The length of the geodesic between two points and its bearing at the first.
export function inverse(from, to) {
  const [u1, u2] = [from, to].map((point) => Math.atan((1 - F) * Math.tan(rad(point[1]))));
  const difference = rad(half(to[0] - from[0]));
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = difference;
  for (let step = 0; step < 200; step++) {
    const east = c2 * Math.sin(lambda), north = c1 * s2 - s1 * c2 * Math.cos(lambda);
    const sinSigma = Math.hypot(east, north);
    if (sinSigma === 0) return { distance: 0, bearing: 0 };
    const cosSigma = s1 * s2 + c1 * c2 * Math.cos(lambda), sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (c1 * c2 * Math.sin(lambda)) / sinSigma, cos2alpha = 1 - sinAlpha ** 2;
    const cos2m = cos2alpha ? cosSigma - (2 * s1 * s2) / cos2alpha : 0;
    const c = (F / 16) * cos2alpha * (4 + F * (4 - 3 * cos2alpha));
    const before = lambda;
    lambda = difference + (1 - c) * F * sinAlpha * (sigma + c * sinSigma * (cos2m + c * cosSigma * (2 * cos2m ** 2 - 1)));
    if (Math.abs(lambda - before) < 1e-12) {
      const [a, shift] = series(cos2alpha, sinSigma, cosSigma, cos2m);
      return { distance: B * a * (sigma - shift), bearing: turn(deg(Math.atan2(east, north))) };
    }
  }
  return { distance: NaN, bearing: NaN }; // nearly antipodal
}

// The point that lies a length away from another in a direction.
export function destination(from, bearing, metres) {
  if (!metres) return from;
  const alpha = rad(bearing), tanU = (1 - F) * Math.tan(rad(from[1])), cosU = 1 / Math.sqrt(1 + tanU ** 2), sinU = tanU * cosU;
  const first = Math.atan2(tanU, Math.cos(alpha)), sinAlpha = cosU * Math.sin(alpha), cos2alpha = 1 - sinAlpha ** 2;
  const start = metres / (B * series(cos2alpha, 0, 1, 0)[0]);
  let sigma = start;
  for (let step = 0; step < 200; step++) {
    const before = sigma;
    sigma = start + series(cos2alpha, Math.sin(sigma), Math.cos(sigma), Math.cos(2 * first + sigma))[1];
    if (Math.abs(sigma - before) < 1e-12) break;
  }
  const [s, c, cos2m] = [Math.sin(sigma), Math.cos(sigma), Math.cos(2 * first + sigma)];
  const other = sinU * s - cosU * c * Math.cos(alpha);
  const latitude = Math.atan2(sinU * c + cosU * s * Math.cos(alpha), (1 - F) * Math.hypot(sinAlpha, other));
  const lambda = Math.atan2(s * Math.sin(alpha), cosU * c - sinU * s * Math.cos(alpha));
  const k = (F / 16) * cos2alpha * (4 + F * (4 - 3 * cos2alpha));
  const east = lambda - (1 - k) * F * sinAlpha * (sigma + k * s * (cos2m + k * c * (2 * cos2m ** 2 - 1)));
  return [half(from[0] + deg(east)), deg(latitude)];
}

// Closed rings: the points a radius away, and the sector that opens towards a bearing.
export function circle(centre, radius, points = 96) {
  const ring = Array.from({ length: points }, (_, i) => destination(centre, (-360 * i) / points, radius));
  return [...ring, ring[0]];
}

export function sector(centre, bearing, angle, length) {
  if (angle >= 180) return circle(centre, length);
  const steps = Math.max(2, Math.round((96 * angle) / 180));
  const arc = Array.from({ length: steps + 1 }, (_, i) => destination(centre, bearing + angle - (2 * angle * i) / steps, length));
  return [centre, ...arc, centre];
}

const q = (latitude) => {
  const e = Math.sqrt(E2), s = Math.sin(rad(latitude));
  return (1 - E2) * (s / (1 - E2 * s * s) - Math.log((1 - e * s) / (1 + e * s)) / (2 * e));
};
const authalic = (latitude) => Math.asin(Math.max(-1, Math.min(1, q(latitude) / q(90))));

// The area inside a ring (m²), on the sphere of the same area.
export function area(ring) {
  let excess = 0;
  ring.forEach((one, i) => {
    const other = ring[(i + 1) % ring.length], east = rad(half(other[0] - one[0]));
    const [south, north] = [Math.tan(authalic(one[1]) / 2), Math.tan(authalic(other[1]) / 2)];
    excess += 2 * Math.atan2(Math.tan(east / 2) * (south + north), 1 + south * north);
  });
  return (Math.abs(excess) * A * A * q(90)) / 2;
}

export const lengthOf = (line) => line.slice(1).reduce((sum, point, i) => sum + inverse(line[i], point).distance, 0);

export function metres(value) {
  if (!Number.isFinite(value)) return "—";
  if (value < 1000) return `${value.toFixed(value < 10 ? 1 : 0)} m`;
  return `${(value / 1000).toFixed(value < 100000 ? 2 : 1)} km`;
}

export function squareMetres(value) {
  if (value < 10000) return `${value.toFixed(0)} m²`;
  if (value < 1e6) return `${(value / 10000).toFixed(2)} ha`;
  return `${(value / 1e6).toFixed(value < 1e8 ? 2 : 0)} km²`;
}

function sexagesimal(value, positive, negative) {
  const tenths = Math.round(Math.abs(value) * 36000); // of a second, so that 59.96″ becomes a minute
  const degrees = Math.floor(tenths / 36000), minutes = Math.floor((tenths % 36000) / 600), seconds = (tenths % 600) / 10;
  return `${degrees}°${String(minutes).padStart(2, "0")}′${seconds.toFixed(1).padStart(4, "0")}″${value < 0 ? negative : positive}`;
}

export const decimal = ([x, y]) => `${x.toFixed(5)}, ${y.toFixed(5)}`;
export const degrees = ([x, y]) => `${sexagesimal(x, "E", "W")} ${sexagesimal(y, "N", "S")}`;

// Reads "109.95, 40.62" and 109°57′00″E 40°37′12″N (also with ' and "); undefined for anything else.
export function readPoint(text) {
  const plain = text.trim().match(/^(-?\d+(?:\.\d+)?)\s*[,，;\s]\s*(-?\d+(?:\.\d+)?)$/);
  let point = plain && [Number(plain[1]), Number(plain[2])];
  if (!point) {
    const parts = [...text.matchAll(/(\d+)\s*[°度]\s*(?:(\d+)\s*[′'分]\s*)?(?:(\d+(?:\.\d+)?)\s*[″"秒]\s*)?([EWNSewns]?)/g)];
    if (parts.length !== 2) return undefined;
    const value = (part) => (Number(part[1]) + Number(part[2] ?? 0) / 60 + Number(part[3] ?? 0) / 3600) * (/[WS]/i.test(part[4]) ? -1 : 1);
    point = parts.map(value);
    if (/[NS]/i.test(parts[0][4])) point.reverse();
  }
  return Math.abs(point[0]) <= 180 && Math.abs(point[1]) <= 90 ? point : undefined;
}

// Of any geometry: every point, and the box around.
export function* pointsOf(geometry) {
  if (!geometry) return;
  if (geometry.type === "GeometryCollection") for (const part of geometry.geometries) yield* pointsOf(part);
  else yield* flat(geometry.coordinates);
}
function* flat(coordinates) {
  if (typeof coordinates?.[0] === "number") yield coordinates;
  else for (const part of coordinates ?? []) yield* flat(part);
}
export function boxOf(geometries) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const geometry of geometries)
    for (const [x, y] of pointsOf(geometry)) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  return Number.isFinite(box[0]) ? box : undefined;
}
