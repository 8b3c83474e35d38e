// what the lab uses of it
export interface Signal<T> { value: T }
export interface Computed<T> { readonly value: T }
export function signal<T>(value: T): Signal<T>;
export function computed<T>(made: () => T): Computed<T>;
export function batch(work: () => void): void;
export function effect(work: () => void): () => void;
