// what the lab uses of it
export function h(kind: unknown, properties: unknown, ...children: unknown[]): unknown;
export function render(piece: unknown, into: Element): void;
