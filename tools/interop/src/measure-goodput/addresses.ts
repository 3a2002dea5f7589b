// The two ends of the path.
export const NEAR = "10.9.0.1";
export const FAR = "10.9.0.2";
export const PORT = 5001;
