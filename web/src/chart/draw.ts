// SPDX-License-Identifier: MIT
/*
 * draw: what uPlot does not know: levels as steps, change marks, environment events, hollow points
 * and the pinned commit. Each is one function over the plot's canvas, clipped to the plotting area.
 */
import type uPlot from 'uplot';
import type { SeriesData } from '../api/types.ts';
import * as format from '../text/format.ts';
import type { ChartColors } from './colors.ts';
import { isSure } from './changes.ts';
import { lowerBound } from './columns.ts';

const FEW_ROUNDS = 4; /* below it a point is drawn hollow: it says less */
const POINTS_APART = 5; /* CSS pixels; closer together, the line says enough */

export interface Scene {
    data: SeriesData;
    colors: ChartColors;
    pinned: number | null;
}

interface Pen {
    ctx: CanvasRenderingContext2D;
    unit: number; /* device pixels per CSS pixel */
    x(pos: number): number;
    y(value: number): number;
    box: uPlot.BBox;
}

function pen(plot: uPlot): Pen {
    return {
        ctx: plot.ctx,
        unit: devicePixelRatio || 1,
        x: (pos) => plot.valToPos(pos, 'x', true),
        y: (value) => plot.valToPos(value, 'y', true),
        box: plot.bbox,
    };
}

function inside(plot: uPlot, body: (pen: Pen) => void): void {
    const p = pen(plot);
    p.ctx.save();
    p.ctx.beginPath();
    p.ctx.rect(p.box.left, p.box.top, p.box.width, p.box.height);
    p.ctx.clip();
    body(p);
    p.ctx.restore();
}

function rule({ ctx, box }: Pen, x: number): void {
    ctx.beginPath();
    ctx.moveTo(x, box.top);
    ctx.lineTo(x, box.top + box.height);
    ctx.stroke();
}

function drawEvents(p: Pen, { data, colors }: Scene): void {
    p.ctx.strokeStyle = colors.event;
    p.ctx.fillStyle = colors.event;
    p.ctx.lineWidth = p.unit;
    p.ctx.setLineDash([4 * p.unit, 4 * p.unit]);
    for (const event of data.events) {
        const x = Math.round(p.x(event.pos - 0.5));
        rule(p, x);
        p.ctx.beginPath();
        p.ctx.arc(x, p.box.top + p.box.height - 6 * p.unit, 3.5 * p.unit, 0, 2 * Math.PI);
        p.ctx.fill();
    }
    p.ctx.setLineDash([]);
}

function drawLevels(p: Pen, { data, colors }: Scene): void {
    p.ctx.strokeStyle = colors.level;
    p.ctx.lineWidth = 2 * p.unit;
    p.ctx.lineCap = 'butt';
    for (const level of data.levels) {
        const y = p.y(level.value);
        p.ctx.beginPath();
        p.ctx.moveTo(p.x(level.from - 0.5), y);
        p.ctx.lineTo(p.x(level.to + 0.5), y);
        p.ctx.stroke();
    }
}

function drawPoints(p: Pen, plot: uPlot, { data, colors }: Scene): void {
    const { min, max } = plot.scales.x!;
    if (min == null || max == null) return;
    const first = lowerBound(data.pos, min);
    const last = lowerBound(data.pos, max + 1e-9);
    if (last - first > p.box.width / p.unit / POINTS_APART) return;
    p.ctx.lineWidth = 1.5 * p.unit;
    p.ctx.strokeStyle = colors.line;
    for (let i = first; i < last; i++) {
        p.ctx.fillStyle = data.n[i]! < FEW_ROUNDS ? colors.paper : colors.line;
        p.ctx.beginPath();
        p.ctx.arc(p.x(data.pos[i]!), p.y(data.value[i]!), 2 * p.unit, 0, 2 * Math.PI);
        p.ctx.fill();
        p.ctx.stroke();
    }
}

function triangle({ ctx, unit }: Pen, x: number, y: number, up: boolean, sure: boolean): void {
    const half = 5.5 * unit;
    const tip = up ? -half : half;
    ctx.beginPath();
    ctx.moveTo(x - half, y - tip * 0.8);
    ctx.lineTo(x + half, y - tip * 0.8);
    ctx.lineTo(x, y + tip);
    ctx.closePath();
    if (sure) ctx.fill();
    ctx.stroke();
}

/* Triangles point where the value goes; hollow ones wait for confirmation. */
function drawChanges(p: Pen, { data, colors }: Scene): void {
    p.ctx.font = `600 ${12 * p.unit}px ${colors.font}`;
    p.ctx.textBaseline = 'middle';
    let free = -Infinity;
    for (const change of data.changes) {
        const x = Math.round(p.x(change.pos));
        const y = p.box.top + 12 * p.unit;
        p.ctx.strokeStyle = p.ctx.fillStyle = change.worse ? colors.worse : colors.better;
        p.ctx.lineWidth = 1.5 * p.unit;
        p.ctx.globalAlpha = 0.55;
        p.ctx.setLineDash(isSure(change) ? [] : [2 * p.unit, 3 * p.unit]);
        rule(p, x);
        p.ctx.globalAlpha = 1;
        p.ctx.setLineDash([]);
        triangle(p, x, y, change.effect > 0, isSure(change));
        free = label(p, format.effect(change.effect, data.series.unit), x, y, free);
    }
}

/* Right of its mark, or left of it at the edge; none where it would cover its neighbour. */
function label(p: Pen, text: string, x: number, y: number, free: number): number {
    const gap = 10 * p.unit;
    const width = p.ctx.measureText(text).width;
    const fits = x + gap + width <= p.box.left + p.box.width;
    const left = fits ? x + gap : x - gap - width;
    if (left < free) return Math.max(free, x + gap);
    p.ctx.textAlign = 'left';
    p.ctx.fillText(text, left, y + p.unit);
    return Math.max(left + width, x) + gap;
}

function drawPin(p: Pen, { data, colors, pinned }: Scene): void {
    if (pinned === null) return;
    const index = data.pos.indexOf(pinned);
    if (index < 0) return;
    const x = p.x(pinned);
    const y = p.y(data.value[index]!);
    p.ctx.strokeStyle = colors.focus;
    p.ctx.lineWidth = 1.5 * p.unit;
    p.ctx.beginPath();
    p.ctx.moveTo(Math.round(x), y);
    p.ctx.lineTo(Math.round(x), p.box.top + p.box.height);
    p.ctx.stroke();
    p.ctx.fillStyle = colors.paper;
    p.ctx.lineWidth = 3 * p.unit;
    p.ctx.beginPath();
    p.ctx.arc(x, y, 5.5 * p.unit, 0, 2 * Math.PI);
    p.ctx.fill();
    p.ctx.stroke();
}

/* 'scene' is asked at each drawing: theme and pin change while the plot lives. */
export function overlay(scene: () => Scene): uPlot.Plugin {
    return {
        hooks: {
            drawAxes: (plot) => inside(plot, (p) => drawEvents(p, scene())),
            draw: (plot) =>
                inside(plot, (p) => {
                    drawPoints(p, plot, scene());
                    drawLevels(p, scene());
                    drawChanges(p, scene());
                    drawPin(p, scene());
                }),
        },
    };
}
