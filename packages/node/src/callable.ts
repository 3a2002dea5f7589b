// Constructors that can be called without `new`, as Node's `net.Socket`: older libraries inherit from them by `Socket.call(this)`.

/**
 * Makes a constructor of a class whose instances are set up by `initialize`. `Methods` is never instantiated itself: it may have no fields
 * and no constructor of its own, and its methods move to the prototype of the result.
 * @param Base what `Methods` extends; called on the new object before `initialize`
 */
export function callable<Instance extends object, Arguments extends unknown[]>(
  name: string,
  Methods: { readonly prototype: Instance },
  Base: (this: Instance, ...args: Arguments) => void,
  initialize: (self: Instance, ...args: Arguments) => void,
): CallableConstructor<Instance, Arguments> {
  function Constructor(this: Instance | undefined, ...args: Arguments): Instance | undefined {
    if (!(this instanceof Constructor)) return new (Constructor as unknown as CallableConstructor<Instance, Arguments>)(...args);
    Base.apply(this as Instance, args);
    initialize(this as Instance, ...args);
    return undefined;
  }
  const { constructor: _, ...methods } = Object.getOwnPropertyDescriptors(Methods.prototype) as PropertyDescriptorMap;
  Constructor.prototype = Object.create(Object.getPrototypeOf(Methods.prototype), {
    ...methods,
    constructor: { value: Constructor, writable: true, configurable: true, enumerable: false },
  });
  Object.defineProperty(Constructor, "name", { value: name, configurable: true });
  const parent = Object.getPrototypeOf(Methods.prototype)?.constructor;
  if (typeof parent === "function") Object.setPrototypeOf(Constructor, parent);
  return Constructor as unknown as CallableConstructor<Instance, Arguments>;
}

export interface CallableConstructor<Instance, Arguments extends unknown[]> {
  new (...args: Arguments): Instance;
  (...args: Arguments): Instance;
  readonly prototype: Instance;
}
