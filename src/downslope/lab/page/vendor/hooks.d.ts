// what the lab uses of it
export function useEffect(work: () => unknown, when?: unknown[]): void;
export function useRef<T>(value: T): { current: T };
