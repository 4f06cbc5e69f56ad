// SPDX-License-Identifier: MIT
/* css: a stylesheet is imported for its effect only; esbuild collects it. */
declare module '*.css';
