// SPDX-License-Identifier: MIT
/* main: the entry of the page; everything else hangs off the one element in index.html. */
import './styles/app.css';
import './app/app.ts';
