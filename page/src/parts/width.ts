// How wide a picture may be: it is drawn for that, so that its text is as large as any other.
import type { RefCallback } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

/** The width of the element that is given this, in px; 0 until it is there, which may be later than who asks. */
export function useWidth<T extends HTMLElement>(): [RefCallback<T>, number] {
  const [element, setElement] = useState<T | null>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (!element) return;
    const measure = () => setWidth(Math.floor(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, width];
}
